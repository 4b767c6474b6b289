// Command guest is the init of a guest whose kernel lies. A file in its image says which lie is
// told in which spec; package harness/lies writes it.
package main

import (
	"fmt"
	"os"
	"time"

	"pivotspec/suites/lies"
	"pivotspec/suites/runner"
)

// patience is shorter than an honest guest's, for there is one lie that never ends. It is still
// dozens of times what a spec takes under emulation on a busy host, and twice of it is less
// than the silence after which the host takes any guest for hung.
const patience = 4 * time.Second

func main() {
	// Read before anything runs: PID 1 and the suite both still stand in the initramfs.
	text, err := os.ReadFile(lies.File)
	if err != nil {
		fail(err)
	}
	k, err := lies.Parse(string(text))
	if err != nil {
		fail(err)
	}
	runner.Main(k, runner.Patience(patience))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "pivotspec lying guest:", err)
	os.Exit(2)
}
