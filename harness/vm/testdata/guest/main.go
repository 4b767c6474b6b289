// Command guest is the init of the boot tests: it reports one observation and then ends in
// the way that the kernel's argument mode=NAME asks for.
package main

import (
	"bytes"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
)

func main() {
	unix.Mount("proc", "/proc", "proc", 0, "")
	cmdline, _ := os.ReadFile("/proc/cmdline")
	mode := func(m string) bool { return bytes.Contains(cmdline, []byte("mode="+m)) }
	seq := 0
	send := func(r *record.Record) {
		b, err := record.AppendFrame(nil, seq, r)
		if err != nil {
			panic(err)
		}
		seq++
		os.Stdout.Write(b)
	}
	send(&record.Record{Schema: record.Schema, Type: record.TypePlan, Plan: []string{"a/b"}})
	send(&record.Record{Type: record.TypeObservation, ID: "a/b", Status: record.Observed, Outcome: record.OK})
	switch {
	case mode("exit"): // the kernel panics: its init is gone
		return
	case mode("crash"): // an oops of a child, by the kernel's own means, or a panic where that panics
		os.WriteFile("/proc/sysrq-trigger", []byte("c"), 0)
	case mode("hang"):
		time.Sleep(time.Hour)
	case mode("early"):
		unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	}
	send(&record.Record{Type: record.TypeEnd})
	if mode("stay") {
		time.Sleep(time.Hour)
	}
	unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}
