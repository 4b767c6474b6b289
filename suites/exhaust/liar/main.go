// Command liar is the init of a guest that compares worlds on a kernel that lies. The lie is
// named on the kernel's command line.
package main

import (
	"fmt"
	"os"

	"pivotspec/suites/exhaust/lies"
	"pivotspec/suites/runner"
)

func main() {
	name := os.Getenv(lies.Variable)
	k, ok := lies.Find(name)
	if !ok {
		fmt.Fprintf(os.Stderr, "pivotspec lying guest: %s=%q: there is no such lie\n", lies.Variable, name)
		os.Exit(2)
	}
	runner.Main(k)
}
