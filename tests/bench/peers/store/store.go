// Package store is what the Go peers ask of PostgreSQL, with pgx.
//
// Set for speed: statements prepared on every connection, and queries without
// a context to watch, which would cost pgx a goroutine each time.
package store

import (
	"context"
	"fmt"
	"math/rand"
	"sort"

	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
)

const rows = 100000 // of the table of numbers

type User struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

type Number struct {
	ID    int64 `json:"id"`
	Value int64 `json:"value"`
}

type Numbers struct {
	Numbers []Number `json:"numbers"`
}

type Slept struct {
	SleptMS int `json:"slept_ms"`
}

type Store struct {
	pool *pgxpool.Pool
}

var background = context.Background()

var statements = map[string]string{
	"user_by_id":    "SELECT id, name, email FROM users WHERE id = $1",
	"number_by_id":  "SELECT id, value FROM numbers WHERE id = $1",
	"number_update": "UPDATE numbers SET value = $2 WHERE id = $1",
	"slow":          "SELECT pg_sleep(0.05)",
}

func Connect(url string, connections int) (*Store, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(connections)
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		for name, sql := range statements {
			if _, err := conn.Prepare(ctx, name, sql); err != nil {
				return err
			}
		}
		return nil
	}
	pool, err := pgxpool.ConnectConfig(background, config)
	return &Store{pool}, err
}

// User answers pgx.ErrNoRows when there is none.
func (s *Store) User(id int64) (u User, err error) {
	err = s.pool.QueryRow(background, "user_by_id", id).Scan(&u.ID, &u.Name, &u.Email)
	return u, err
}

// Slow keeps a connection busy for 50 milliseconds.
func (s *Store) Slow() (Slept, error) {
	_, err := s.pool.Exec(background, "slow")
	return Slept{50}, err
}

// Queries reads random rows, one after the other on one connection.
func (s *Store) Queries(count int) (Numbers, error) {
	return s.onOneConnection(draw(count), read)
}

// QueriesBatch reads random rows in one round trip.
func (s *Store) QueriesBatch(count int) (Numbers, error) {
	return s.onOneConnection(draw(count), readBatch)
}

// Updates reads random rows and gives each a new value, one statement and one
// transaction after the other.
func (s *Store) Updates(count int) (Numbers, error) {
	return s.onOneConnection(drawSorted(count), read, write)
}

// UpdatesBatch does so in two round trips. pgx puts one Sync behind a batch:
// its updates are one transaction.
func (s *Store) UpdatesBatch(count int) (Numbers, error) {
	return s.onOneConnection(drawSorted(count), readBatch, writeBatch)
}

type step func(*pgx.Conn, []Number) error

func (s *Store) onOneConnection(numbers []Number, steps ...step) (Numbers, error) {
	conn, err := s.pool.Acquire(background)
	if err != nil {
		return Numbers{}, err
	}
	defer conn.Release()
	for _, do := range steps {
		if err := do(conn.Conn(), numbers); err != nil {
			return Numbers{}, err
		}
	}
	return Numbers{numbers}, nil
}

func draw(count int) []Number {
	numbers := make([]Number, count)
	for i := range numbers {
		numbers[i].ID = 1 + rand.Int63n(rows)
	}
	return numbers
}

// drawSorted draws in an order in which no two requests can deadlock.
func drawSorted(count int) []Number {
	numbers := draw(count)
	sort.Slice(numbers, func(a, b int) bool { return numbers[a].ID < numbers[b].ID })
	return numbers
}

func read(conn *pgx.Conn, numbers []Number) error {
	for i := range numbers {
		n := &numbers[i]
		if err := conn.QueryRow(background, "number_by_id", n.ID).Scan(&n.ID, &n.Value); err != nil {
			return err
		}
	}
	return nil
}

func readBatch(conn *pgx.Conn, numbers []Number) error {
	batch := &pgx.Batch{}
	for i := range numbers {
		batch.Queue("number_by_id", numbers[i].ID)
	}
	results := conn.SendBatch(background, batch)
	defer results.Close()
	for i := range numbers {
		n := &numbers[i]
		if err := results.QueryRow().Scan(&n.ID, &n.Value); err != nil {
			return err
		}
	}
	return results.Close()
}

func write(conn *pgx.Conn, numbers []Number) error {
	for i := range numbers {
		n := &numbers[i]
		n.Value = newValue()
		tag, err := conn.Exec(background, "number_update", n.ID, n.Value)
		if err != nil {
			return err
		}
		if tag.RowsAffected() != 1 {
			return fmt.Errorf("no number %d", n.ID)
		}
	}
	return nil
}

func writeBatch(conn *pgx.Conn, numbers []Number) error {
	batch := &pgx.Batch{}
	for i := range numbers {
		n := &numbers[i]
		n.Value = newValue()
		batch.Queue("number_update", n.ID, n.Value)
	}
	results := conn.SendBatch(background, batch)
	defer results.Close()
	for i := range numbers {
		tag, err := results.Exec()
		if err != nil {
			return err
		}
		if tag.RowsAffected() != 1 {
			return fmt.Errorf("no number %d", numbers[i].ID)
		}
	}
	return results.Close()
}

func newValue() int64 {
	return 1 + rand.Int63n(10000)
}
