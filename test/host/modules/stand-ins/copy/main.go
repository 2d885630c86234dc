// Command copy copies a file, as `cp -f SOURCE TARGET` does. It stands in for the cp of images whose init containers
// put a file on their node.
package main

import (
	"log"
	"os"
)

func main() {
	arguments := os.Args[1:]
	if len(arguments) > 0 && arguments[0] == "-f" {
		arguments = arguments[1:]
	}
	if len(arguments) != 2 {
		log.Fatal("usage: cp [-f] SOURCE TARGET")
	}
	source, target := arguments[0], arguments[1]
	content, err := os.ReadFile(source)
	if err != nil {
		log.Fatal(err)
	}
	information, err := os.Stat(source)
	if err != nil {
		log.Fatal(err)
	}
	// A program that runs cannot be written to, but another may take its place.
	_ = os.Remove(target)
	if err := os.WriteFile(target, content, information.Mode().Perm()); err != nil {
		log.Fatal(err)
	}
}
