// Command slowguest is a guest program for `run host` that sends one record and then hangs, with a
// child in a session of its own.
package main

import (
	"os"
	"os/exec"
	"syscall"
	"time"

	"pivotspec/suites/record"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "child" {
		time.Sleep(24 * time.Hour)
	}
	b, _ := record.AppendFrame(nil, 0, &record.Record{Schema: record.Schema, Type: record.TypePlan, Plan: []string{}})
	os.Stdout.Write(b)
	child := exec.Command("/proc/self/exe", "child")
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	child.Start()
	time.Sleep(24 * time.Hour)
}
