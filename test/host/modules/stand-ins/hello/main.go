// Command hello is a pod to talk to. Without an argument it serves its host name on port 8080; with a URL it prints
// what that answers, looking names up as any pod does.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"
)

func main() {
	if len(os.Args) > 1 {
		get(os.Args[1])
		return
	}
	name, err := os.Hostname()
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/", func(response http.ResponseWriter, _ *http.Request) { fmt.Fprintln(response, name) })
	log.Fatal(http.ListenAndServe(":8080", nil))
}

func get(url string) {
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Get(url)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(os.Stdout, response.Body); err != nil {
		log.Fatal(err)
	}
}
