// Command guest is the init of a pivotspec guest. It runs every spec on the kernel that it
// finds itself on, sends the records over the console, and powers the machine off.
package main

import (
	"pivotspec/suites/runner"
	"pivotspec/suites/sandbox"
)

func main() { runner.Main(sandbox.Honest{}) }
