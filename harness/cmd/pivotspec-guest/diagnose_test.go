package main

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
)

// TestDiagnose: the program diagnoses a call as pivotspec does.
func TestDiagnose(t *testing.T) {
	p := program(t)
	for _, tt := range []struct {
		args []string
		exit int
		says string
	}{
		{[]string{"diagnose", "/none/at/all", ""}, 1, `pivot_root("/none/at/all", "") would fail with E`},
		{[]string{"diagnose", "-v", "/none", "/none"}, 1, "Looked at, without changing anything:"},
		{[]string{"diagnose", "/none"}, 2, "diagnose takes two paths, NEW_ROOT and PUT_OLD, and got 1"},
		{[]string{"diagnosis"}, 2, `unknown argument "diagnosis"`},
	} {
		out, err := exec.Command(p, tt.args...).CombinedOutput()
		exit := 0
		if e := (*exec.ExitError)(nil); errors.As(err, &e) {
			exit = e.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		if exit != tt.exit || !strings.Contains(string(out), tt.says) {
			t.Errorf("%v: exit status %d, %q", tt.args, exit, out)
		}
	}
}
