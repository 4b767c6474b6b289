package runner

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"pivotspec/suites/enumerate"
	"pivotspec/suites/exhaust"
	"pivotspec/suites/model"
	"pivotspec/suites/record"
	"pivotspec/suites/sandbox"
)

// worldsArg makes the program the one that builds worlds; the index of the first follows it.
const worldsArg = "worlds"

// worlds is the life of PID 1 in a guest that compares worlds.
func worlds(c *console, shared int, word string, o options) {
	c.send(&record.Record{Schema: record.Schema, Type: record.TypePlan})
	req, err := enumerate.Decode(word)
	if err == nil {
		err = prepare()
	}
	if err != nil {
		c.send(&record.Record{Type: record.TypeNote, Why: err.Error()})
		return
	}
	relax()
	log := openLog()
	c.send(&record.Record{Type: record.TypeKernel, Kernel: describe()})
	for first, restarts, done := 0, 0, false; !done && restarts <= maxRestarts; restarts++ {
		first, done = superviseWorlds(c, shared, req, first, o.patience)
	}
	warnings := log.warnings()
	for _, w := range warnings {
		c.send(w)
	}
	c.end(len(warnings) > 0)
}

// superviseWorlds is [supervise] for worlds. done says that there is nothing to go on with.
func superviseWorlds(c *console, shared int, req enumerate.Request, first int, patience time.Duration) (next int, done bool) {
	current, why := attend(c, shared, patience, worldsArg, strconv.Itoa(first))
	switch {
	case why == "":
		return first, true
	case current < first:
		c.send(&record.Record{Type: record.TypeNote, Why: why})
		return first, true
	}
	// What was in the row that was never sent is lost, and the host sees the gap.
	i := 0
	req.Each(func(w *model.World) bool {
		if i == current {
			c.send(exhaust.Unseen(w, why))
		}
		i++
		return i <= current
	})
	return current + 1, false
}

// compare is the life of the child that builds worlds, from the one with that index on.
func compare(k sandbox.Kernel, index string) {
	fail := func(err error) {
		fmt.Fprintln(os.Stderr, "pivotspec guest:", err)
		os.Exit(1)
	}
	first, err := strconv.Atoi(index)
	if err != nil || first < 0 {
		fail(fmt.Errorf("%s %q: not the index of a world", worldsArg, index))
	}
	req, err := enumerate.Decode(os.Getenv(enumerate.Variable))
	if err != nil {
		fail(err)
	}
	series, err := model.SeriesOf(describe().Release)
	if err != nil {
		fail(err)
	}
	c, err := openConsole(os.NewFile(4, "console"), 3)
	if err != nil {
		fail(err)
	}
	done := make(chan error)
	go func() {
		done <- exhaust.Run(k, model.EraOf(series), req, first, func(i int) { c.state.current.Store(int64(i)) }, c.send)
	}()
	if err := <-done; err != nil {
		fail(err)
	}
	if _, err := os.NewFile(5, "done").Write([]byte{1}); err != nil {
		os.Exit(1)
	}
	for { // in a system call, or the runtime takes what is left for a deadlock
		_ = unix.Pause()
	}
}
