// Command copy copies a file and its mode, as `cp -f SOURCE TARGET` does; other options do not matter, but --linger, with
// which it ends 5 s later. It stands in for the cp of images whose init containers put a file on a node or a volume.
package main

import (
	"log"
	"os"
	"slices"
	"strings"
	"time"
)

func main() {
	lingers := slices.Contains(os.Args[1:], "--linger")
	arguments := slices.DeleteFunc(os.Args[1:], func(argument string) bool { return strings.HasPrefix(argument, "-") })
	if len(arguments) != 2 {
		log.Fatal("usage: cp [OPTION...] SOURCE TARGET")
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
	if lingers {
		time.Sleep(5 * time.Second)
	}
}
