/* migrate_split.c - see migrate_split.h. Pure. Called by migrate_run.c.
 *
 * The server could be asked instead: Parse refuses two statements in one text, and half of one. But it does not say where
 * the first one ends, and a semicolon in a comment makes a half that it takes (SELECT 1 -- one; two). So the rules are
 * those of psql's scanner (psqlscan.l), and each piece goes to the server by Parse, which refuses it if it is two. */
#include "back/migrate_split.h"

#include <ctype.h>
#include <strings.h>

/* What of a statement decides whether a semicolon ends it. */
struct depth {
	unsigned parens;
	unsigned blocks; /* BEGIN and CASE that wait for their END, in a function's body */
	unsigned words;
	char head[4]; /* initials of the first words, of those in 'heads' only */
};

/* Words that a function's statement begins with: CREATE [OR REPLACE] FUNCTION or PROCEDURE. */
static const char *const heads[] = { "create", "or", "replace", "function", "procedure" };

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool begins_word(char c)
{
	return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_in_word(char c)
{
	return begins_word(c) || isdigit((unsigned char)c) || c == '$';
}

static bool is_word(leat_text text, const char *word)
{
	return text.len == strlen(word) && strncasecmp(text.ptr, word, text.len) == 0;
}

/* Tokens: each function gets text that begins with its token, and answers with the token's length ------------------- */

static size_t word_len(leat_text text)
{
	size_t len = 1;

	while (len < text.len && is_in_word(text.ptr[len]))
		len++;
	return len;
}

static size_t line_comment_len(leat_text text)
{
	size_t len = 2;

	while (len < text.len && text.ptr[len] != '\n')
		len++;
	return len;
}

/* Comments nest. */
static size_t block_comment_len(leat_text text)
{
	unsigned depth = 1;
	size_t len = 2;

	while (len < text.len && depth > 0) {
		leat_text rest = { text.ptr + len, text.len - len };

		if (leat_text_starts(rest, LEAT_TEXT_OF("/*")))
			depth++;
		else if (leat_text_starts(rest, LEAT_TEXT_OF("*/")))
			depth--;
		else {
			len++;
			continue;
		}
		len += 2;
	}
	return len;
}

/* From the opening quote; a doubled quote ends here and begins again, with the same effect. */
static size_t quoted_len(leat_text text, bool has_backslashes)
{
	size_t len = 1;

	while (len < text.len && text.ptr[len] != text.ptr[0])
		len += has_backslashes && text.ptr[len] == '\\' ? 2 : 1;
	return len < text.len ? len + 1 : text.len;
}

/* "$tag$ ... $tag$"; 1 for a '$' that begins no such quote. */
static size_t dollar_len(leat_text text)
{
	leat_text tag = { text.ptr, 1 };

	if (text.len > 1 && isdigit((unsigned char)text.ptr[1]))
		return 1;
	while (tag.len < text.len && is_in_word(text.ptr[tag.len]) && text.ptr[tag.len] != '$')
		tag.len++;
	if (tag.len == text.len || text.ptr[tag.len] != '$')
		return 1;
	tag.len++;
	for (size_t len = tag.len; len + tag.len <= text.len; len++)
		if (leat_text_starts((leat_text){ text.ptr + len, text.len - len }, tag))
			return len + tag.len;
	return text.len;
}

static size_t comment_len(leat_text text)
{
	if (leat_text_starts(text, LEAT_TEXT_OF("--")))
		return line_comment_len(text);
	return leat_text_starts(text, LEAT_TEXT_OF("/*")) ? block_comment_len(text) : 0;
}

static size_t token_len(leat_text text)
{
	size_t len = comment_len(text);

	if (len > 0)
		return len;
	if (text.ptr[0] == '\'' || text.ptr[0] == '"')
		return quoted_len(text, false);
	if (text.ptr[0] == '$')
		return dollar_len(text);
	if (!begins_word(text.ptr[0]))
		return 1;
	len = word_len(text);
	if (len == 1 && text.len > 1 && (text.ptr[0] | 0x20) == 'e' && text.ptr[1] == '\'')
		return 1 + quoted_len((leat_text){ text.ptr + 1, text.len - 1 }, true);
	return len;
}

/* Statements -------------------------------------------------------------------------------------------------------- */

static bool defines_function(const struct depth *depth)
{
	const char *head = depth->head;

	if (head[0] == 'c' && head[1] == 'o' && head[2] == 'r')
		return head[3] == 'f' || head[3] == 'p';
	return head[0] == 'c' && (head[1] == 'f' || head[1] == 'p');
}

static void count_word(struct depth *depth, leat_text word)
{
	for (size_t i = 0; depth->words < sizeof(depth->head) && i < sizeof(heads) / sizeof(heads[0]); i++)
		if (is_word(word, heads[i]))
			depth->head[depth->words] = heads[i][0];
	depth->words++;
	if (!defines_function(depth) || depth->parens > 0)
		return;
	if (is_word(word, "begin") || (depth->blocks > 0 && is_word(word, "case")))
		depth->blocks++;
	else if (depth->blocks > 0 && is_word(word, "end"))
		depth->blocks--;
}

static void count(struct depth *depth, leat_text token)
{
	if (token.ptr[0] == '(')
		depth->parens++;
	else if (token.ptr[0] == ')' && depth->parens > 0)
		depth->parens--;
	else if (begins_word(token.ptr[0]))
		count_word(depth, token);
}

static void skip(struct migrate_split *split, size_t len)
{
	for (size_t i = 0; i < len; i++)
		split->line += split->rest.ptr[i] == '\n';
	split->rest = (leat_text){ split->rest.ptr + len, split->rest.len - len };
}

static void skip_blank(struct migrate_split *split)
{
	while (split->rest.len > 0) {
		bool is_blank = is_space(split->rest.ptr[0]) || split->rest.ptr[0] == ';';
		size_t len = is_blank ? 1 : comment_len(split->rest);

		if (len == 0)
			return;
		skip(split, len);
	}
}

static size_t statement_len(leat_text text)
{
	struct depth depth = { 0 };
	size_t len = 0;

	while (len < text.len) {
		leat_text token = { text.ptr + len, text.len - len };

		token.len = token_len(token);
		len += token.len;
		if (token.ptr[0] == ';' && depth.parens == 0 && depth.blocks == 0)
			break;
		count(&depth, token);
	}
	return len;
}

bool migrate_split_next(struct migrate_split *split, struct migrate_statement *ret_statement)
{
	size_t len;

	skip_blank(split);
	if (split->rest.len == 0)
		return false;
	len = statement_len(split->rest);
	*ret_statement = (struct migrate_statement){ { split->rest.ptr, len }, split->line };
	skip(split, len);
	return true;
}
