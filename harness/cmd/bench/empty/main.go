// Command empty is the init of a guest that observes nothing: each behaviour has its world, its record
// and its place in Ginkgo's run, and all that happens in it is one look at "/": what so many behaviours cost
// here before they do anything. It serves command bench alone.
package main

import (
	"pivotspec/suites/runner"
	"pivotspec/suites/sandbox"
)

func main() {
	runner.Main(sandbox.Honest{}, runner.Body(func(w *sandbox.World) { w.Observe(w.TryLook("/")) }))
}
