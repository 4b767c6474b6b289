package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestManPage: the page that is committed is the one that the commands make, with each command and flag, and mandoc
// has nothing against it.
func TestManPage(t *testing.T) {
	var b bytes.Buffer
	if status := run([]string{"man"}, &b, io.Discard); status != 0 {
		t.Fatalf("exit status %d", status)
	}
	const file = "pivotspec.1"
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, b.Bytes()) {
		t.Errorf("%s is not what the commands make of it now: run `make man`", file)
	}

	lint := exec.Command("mandoc", "-T", "lint")
	lint.Stdin = &b
	out, err := lint.Output()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatalf("mandoc (`make setup` installs it): %v", err)
	}
	for line := range strings.Lines(string(out)) {
		// Which other pages there are is the machine's affair.
		if !strings.Contains(line, "referenced manual not found") {
			t.Errorf("lint: %s", strings.TrimSpace(line))
		}
	}

	text, err := exec.Command("mandoc", "-T", "ascii", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	var plain strings.Builder
	for i := 0; i < len(text); i++ { // without overstrikes
		if i+1 < len(text) && text[i+1] == '\b' {
			i++
			continue
		}
		plain.WriteByte(text[i])
	}
	var check func(c *cobra.Command)
	check = func(c *cobra.Command) {
		if !strings.Contains(plain.String(), c.CommandPath()) {
			t.Errorf("the page has no %q", c.CommandPath())
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" && !strings.Contains(plain.String(), "--"+f.Name) {
				t.Errorf("the page has no --%s of %s", f.Name, c.CommandPath())
			}
		})
		for _, sub := range c.Commands() {
			if c.Name() != "completion" { // whose parts are cobra's
				check(sub)
			}
		}
	}
	check(command())
}
