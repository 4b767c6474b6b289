// Command guest is the init of a guest that has each of its calls diagnosed before it makes it; see
// package exam.
package main

import (
	"time"

	"pivotspec/suites/diagnose/exam"
	"pivotspec/suites/runner"
)

// patience is longer than an ordinary guest's: a diagnosis takes hundreds of system calls, and one
// spec makes hundreds of calls.
const patience = 3 * time.Minute

func main() { runner.Main(exam.New(), runner.Patience(patience)) }
