// gin: the routes of the benchmark in Gin, with pgx.
//
// Set for speed: release mode, no middleware, hello rendered once.
package main

import (
	"errors"
	"flag"
	"log"
	"net"
	"net/http"
	"strconv"

	"../store"
	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v4"
)

var (
	socket   = flag.String("socket", "", "path of the Unix socket to serve")
	database = flag.String("database", "", "URL of the database")
	pool     = flag.Int("pool", 6, "connections to the database")
)

func main() {
	flag.Parse()
	db, err := store.Connect(*database, *pool)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("unix", *socket)
	if err != nil {
		log.Fatal(err)
	}

	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.GET("/api/hello", hello)
	router.GET("/api/users/:id", func(c *gin.Context) { getUser(c, db) })
	router.GET("/api/slow", func(c *gin.Context) { getSlow(c, db) })
	router.GET("/api/queries/:count", func(c *gin.Context) { getNumbers(c, db.Queries) })
	router.GET("/api/queries/:count/batch", func(c *gin.Context) { getNumbers(c, db.QueriesBatch) })
	router.GET("/api/updates/:count", func(c *gin.Context) { getNumbers(c, db.Updates) })
	router.GET("/api/updates/:count/batch", func(c *gin.Context) { getNumbers(c, db.UpdatesBatch) })
	log.Fatal(http.Serve(listener, router))
}

var helloBody = []byte(`{"message":"hello"}`)

func hello(c *gin.Context) {
	c.Data(http.StatusOK, "application/json", helloBody)
}

func getUser(c *gin.Context, db *store.Store) {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		c.Status(http.StatusBadRequest)
		return
	}
	u, err := db.User(id)
	reply(c, &u, err)
}

func getSlow(c *gin.Context, db *store.Store) {
	slept, err := db.Slow()
	reply(c, &slept, err)
}

func getNumbers(c *gin.Context, ask func(int) (store.Numbers, error)) {
	count, err := strconv.Atoi(c.Param("count"))
	if err != nil || count < 1 || count > 500 {
		c.Status(http.StatusBadRequest)
		return
	}
	numbers, err := ask(count)
	reply(c, &numbers, err)
}

func reply(c *gin.Context, value any, err error) {
	switch {
	case err == nil:
		c.JSON(http.StatusOK, value)
	case errors.Is(err, pgx.ErrNoRows):
		c.Status(http.StatusNotFound)
	default:
		log.Print(err)
		c.Status(http.StatusInternalServerError)
	}
}
