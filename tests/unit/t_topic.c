/* t_topic.c - topics: who gets what, who falls behind, and the end. */
#include "tests/unit/harness.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "task/loop.h"
#include "task/task.h"
#include "task/topic.h"

enum { MESSAGES_MAX = 4, MANY = 1000 };

static struct loop *loop;
static struct topics *topics;

static void set_up(void)
{
	loop = loop_new(&(struct loop_options){ .stack_size = 32768, .tasks_max = MANY + 1 });
	loop_adopt(loop);
	topics = topics_new(MESSAGES_MAX);
}

static void tear_down(void)
{
	loop_release(loop);
	loop_free(loop);
	topics_free(topics);
}

static void run_all(void)
{
	loop_run_ready(loop);
	while (loop_task_count(loop) > 0) {
		loop_poll(loop, loop_sleep_until(loop));
		loop_run_ready(loop);
	}
}

static void publish(const char *topic, const char *text)
{
	topic_publish(topics, leat_text_from(topic), leat_text_from(text));
}

/* One who follows a topic to its end. */
struct follower {
	const char *topic;
	enum leat_result end;
	unsigned count;
	char read[64]; /* the messages, one behind the other */
};

static void follow(void *arg)
{
	struct follower *follower = arg;
	struct topic_seat *seat = topic_join(topics, leat_text_from(follower->topic));
	struct topic_message *message;

	while ((follower->end = topic_next(seat, CLOCK_NEVER, &message)) == LEAT_OK) {
		strncat(follower->read, topic_message_bytes(message).ptr, topic_message_bytes(message).len);
		follower->count++;
		topic_message_release(message);
	}
	topic_leave(seat);
}

static void publish_and_close(void *arg)
{
	(void)arg;
	publish("a", "1");
	publish("b", "2");
	publish("nobody", "3");
	publish("a", "4");
	topics_close(topics);
}

START_TEST(everyone_gets_what_is_published_to_their_topic)
{
	struct follower followers[] = { { .topic = "a" }, { .topic = "b" }, { .topic = "a" } };

	for (int i = 0; i < 3; i++)
		ck_assert(task_start(loop, follow, &followers[i]));
	ck_assert(task_start(loop, publish_and_close, NULL));
	run_all();
	ck_assert_str_eq(followers[0].read, "14");
	ck_assert_str_eq(followers[1].read, "2");
	ck_assert_str_eq(followers[2].read, "14");
	ck_assert_int_eq(followers[0].end, LEAT_NOT_FOUND);
}
END_TEST

/* Joins, and reads only when more has come than the topic keeps. */
static void fall_behind(void *arg)
{
	struct follower *follower = arg;
	struct topic_seat *seat = topic_join(topics, leat_text_from(follower->topic));
	struct topic_message *message;

	for (int i = 0; i < MESSAGES_MAX; i++)
		publish(follower->topic, "x");
	if (follower->count > 0)
		publish(follower->topic, "y");
	follower->end = topic_next(seat, CLOCK_NEVER, &message);
	if (follower->end == LEAT_OK)
		topic_message_release(message);
	topic_leave(seat);
}

START_TEST(who_falls_behind_is_told)
{
	struct follower just = { .topic = "a" }, behind = { .topic = "a", .count = 1 };

	ck_assert(task_start(loop, fall_behind, &just));
	ck_assert(task_start(loop, fall_behind, &behind));
	run_all();
	ck_assert_int_eq(just.end, LEAT_OK);
	ck_assert_int_eq(behind.end, LEAT_UNAVAILABLE);
}
END_TEST

static void wait_in_vain(void *arg)
{
	struct follower *follower = arg;
	struct topic_seat *seat = topic_join(topics, leat_text_from(follower->topic));
	struct topic_message *message;

	follower->end = topic_next(seat, clock_now_ns() + CLOCK_MS, &message);
	topic_leave(seat);
}

START_TEST(waiting_ends_at_the_deadline_and_with_the_client)
{
	struct follower late = { .topic = "a" }, gone = { .topic = "a" };

	ck_assert(task_start(loop, wait_in_vain, &late));
	run_all();
	ck_assert_int_eq(late.end, LEAT_TIMED_OUT);
	ck_assert(task_start(loop, follow, &gone));
	loop_cancel_all(loop);
	run_all();
	ck_assert_int_eq(gone.end, LEAT_CANCELLED);
}
END_TEST

static void join_late(void *arg)
{
	*(bool *)arg = topic_join(topics, LEAT_TEXT_OF("a")) == NULL;
}

START_TEST(nobody_joins_after_the_end)
{
	bool is_refused = false;

	topics_close(topics);
	ck_assert(task_start(loop, join_late, &is_refused));
	run_all();
	ck_assert(is_refused);
}
END_TEST

static void *publish_from_elsewhere(void *arg)
{
	(void)arg;
	for (int i = 0; i < MESSAGES_MAX; i++)
		publish("a", "m");
	topics_close(topics);
	return NULL;
}

/* Many, of two threads' making: each gets all, though they are woken in groups. */
START_TEST(a_broadcast_reaches_all)
{
	struct follower *followers = calloc(MANY, sizeof(*followers));
	pthread_t thread;

	for (int i = 0; i < MANY; i++) {
		followers[i].topic = "a";
		ck_assert(task_start(loop, follow, &followers[i]));
	}
	ck_assert_int_eq(pthread_create(&thread, NULL, publish_from_elsewhere, NULL), 0);
	run_all();
	pthread_join(thread, NULL);
	for (int i = 0; i < MANY; i++)
		ck_assert_uint_eq(followers[i].count, MESSAGES_MAX);
	free(followers);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("topic");
	TCase *all = HARNESS_CASE(s, "topics", everyone_gets_what_is_published_to_their_topic, who_falls_behind_is_told,
				  waiting_ends_at_the_deadline_and_with_the_client, nobody_joins_after_the_end,
				  a_broadcast_reaches_all);

	tcase_add_checked_fixture(all, set_up, tear_down);
	return s;
}
