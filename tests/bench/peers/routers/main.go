// routers: Gin's and httprouter's time for a route, every route of a file asked for once: what bench_router.c does for leat.
//
//	routers gin|httprouter|lookup FILE
//
// gin and httprouter are asked by ServeHTTP with an empty handler, as they are used; lookup is httprouter's Lookup, which finds
// the handler and the parameters and does nothing else. Prints "ns a route (fastest pass ns), allocations a route".
package main

import (
	"bufio"
	"fmt"
	"log"
	"net/http"
	"os"
	"runtime"
	"sort"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/julienschmidt/httprouter"
)

const passes = 20001

type route struct{ method, pattern, path string }

// discard is a ResponseWriter without a connection.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

// "/users/:id" is asked for as "/users/id17", as in bench_router.c.
func readRoutes(name string) []route {
	file, err := os.Open(name)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	var routes []route
	for lines := bufio.NewScanner(file); lines.Scan(); {
		words := strings.Split(lines.Text(), "\t")
		segments := strings.Split(words[1], "/")
		for i, segment := range segments {
			if strings.HasPrefix(segment, ":") {
				segments[i] = fmt.Sprintf("%s%d", segment[1:], len(routes))
			}
		}
		routes = append(routes, route{words[0], words[1], strings.Join(segments, "/")})
	}
	return routes
}

func makeGin(routes []route) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	for _, r := range routes {
		router.Handle(r.method, r.pattern, func(*gin.Context) {})
	}
	return router
}

func makeHTTPRouter(routes []route) *httprouter.Router {
	router := httprouter.New()
	for _, r := range routes {
		router.Handle(r.method, r.pattern, func(http.ResponseWriter, *http.Request, httprouter.Params) {})
	}
	return router
}

func servePass(handler http.Handler, requests []*http.Request) func() {
	w := &discard{http.Header{}}
	return func() {
		for _, r := range requests {
			handler.ServeHTTP(w, r)
		}
	}
}

func lookupPass(router *httprouter.Router, routes []route) func() {
	return func() {
		for i := range routes {
			if handle, _, _ := router.Lookup(routes[i].method, routes[i].path); handle == nil {
				log.Fatal(routes[i].path, " has no route")
			}
		}
	}
}

func makeRequests(routes []route) []*http.Request {
	requests := make([]*http.Request, len(routes))
	for i, r := range routes {
		request, err := http.NewRequest(r.method, r.path, nil)
		if err != nil {
			log.Fatal(err)
		}
		request.RequestURI = r.path
		requests[i] = request
	}
	return requests
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("routers gin|httprouter|lookup FILE")
	}
	routes := readRoutes(os.Args[2])
	var pass func()
	switch os.Args[1] {
	case "gin":
		pass = servePass(makeGin(routes), makeRequests(routes))
	case "httprouter":
		pass = servePass(makeHTTPRouter(routes), makeRequests(routes))
	default:
		pass = lookupPass(makeHTTPRouter(routes), routes)
	}

	pass()
	var before, after runtime.MemStats
	times := make([]float64, passes)
	runtime.ReadMemStats(&before)
	for i := range times {
		start := time.Now()
		pass()
		times[i] = float64(time.Since(start).Nanoseconds())
	}
	runtime.ReadMemStats(&after)
	sort.Float64s(times)
	count := float64(len(routes))
	fmt.Printf("%.1f %.1f %.2f\n", times[passes/2]/count, times[0]/count,
		float64(after.Mallocs-before.Mallocs)/count/passes)
}
