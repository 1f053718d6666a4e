// Command echo answers every HTTP request with what it saw of it, as one JSON object, so that a test can tell which pod
// answered and what the request looked like when it got there.
//
//	field   | what
//	pod     | POD_NAME, or the host's name
//	node    | NODE_NAME, if set
//	method, host, path, query, proto, headers | as received; header values of one name are joined by ", "
//	remote  | the peer's address and port
//	tls     | whether the request came over TLS
//	body    | the first 64 KiB
//
// PORT is the port (8080); TLS_PORT, TLS_CERT and TLS_KEY add a TLS one. `/status/N` answers with status N,
// `/delay/MS` after MS milliseconds (at most a minute), all others with 200.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	maxBody  = 64 << 10
	maxDelay = time.Minute
)

type seen struct {
	Pod     string            `json:"pod"`
	Node    string            `json:"node"`
	Method  string            `json:"method"`
	Host    string            `json:"host"`
	Path    string            `json:"path"`
	Query   string            `json:"query"`
	Proto   string            `json:"proto"`
	Headers map[string]string `json:"headers"`
	Remote  string            `json:"remote"`
	TLS     bool              `json:"tls"`
	Body    string            `json:"body"`
}

func main() {
	http.HandleFunc("/", answer)
	if port := os.Getenv("TLS_PORT"); port != "" {
		go func() {
			log.Fatal(http.ListenAndServeTLS(":"+port, os.Getenv("TLS_CERT"), os.Getenv("TLS_KEY"), nil))
		}()
	}
	log.Fatal(http.ListenAndServe(":"+setting("PORT", "8080"), nil))
}

func answer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	status, err := asked(r.URL.Path)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(describe(r, string(body))); err != nil {
		log.Printf("answer to %s not sent: %v", r.RemoteAddr, err)
	}
}

func describe(r *http.Request, body string) seen {
	headers := map[string]string{}
	for name, values := range r.Header {
		headers[name] = strings.Join(values, ", ")
	}
	hostname, err := os.Hostname()
	if err != nil {
		hostname = "unknown"
	}
	return seen{
		Pod: setting("POD_NAME", hostname), Node: os.Getenv("NODE_NAME"),
		Method: r.Method, Host: r.Host, Path: r.URL.Path, Query: r.URL.RawQuery, Proto: r.Proto,
		Headers: headers, Remote: r.RemoteAddr, TLS: r.TLS != nil, Body: body,
	}
}

// asked reads the wishes that a path may carry, waits if that is one, and returns the status to answer with.
func asked(path string) (int, error) {
	words := strings.Split(strings.Trim(path, "/"), "/")
	if len(words) != 2 || (words[0] != "status" && words[0] != "delay") {
		return http.StatusOK, nil
	}
	number, err := strconv.Atoi(words[1])
	if err != nil {
		return 0, fmt.Errorf("%s: %q is no number", words[0], words[1])
	}
	if words[0] == "delay" {
		time.Sleep(min(time.Duration(number)*time.Millisecond, maxDelay))
		return http.StatusOK, nil
	}
	if number < 200 || number > 599 {
		return 0, fmt.Errorf("status: %d is not between 200 and 599", number)
	}
	return number, nil
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}
