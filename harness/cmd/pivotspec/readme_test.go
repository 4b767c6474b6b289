package main

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var updateReadme = flag.Bool("update-readme", false, "write into the README what its commands print")

// checked is a block of the README that needs neither a boot nor a network, which a line before it says.
var checked = regexp.MustCompile("(?s)(<!-- checked -->\n```console\n)(\\$ .*?\n)(```\n)")

// TestReadme: what the marked blocks of the README show is what a shell prints now. Lines may be broken anywhere.
func TestReadme(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	file := filepath.Join(root, "README.md")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	blocks := 0
	updated := checked.ReplaceAllFunc(text, func(block []byte) []byte {
		blocks++
		parts := checked.FindSubmatch(block)
		command, want, _ := strings.Cut(strings.TrimPrefix(string(parts[2]), "$ "), "\n")
		cmd := exec.Command("bash", "-c", command)
		cmd.Dir = root
		// As from a shell, also where make runs the tests.
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "MAKELEVEL=", "MAKEFLAGS=", "MFLAGS=")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		got, err := cmd.Output()
		if err != nil || stderr.Len() > 0 {
			t.Errorf("$ %s\n%v\n%s", command, err, stderr.String())
			return block
		}
		if a, b := strings.Fields(string(got)), strings.Fields(want); strings.Join(a, " ") != strings.Join(b, " ") && !*updateReadme {
			t.Errorf("$ %s\nprints now (-update-readme takes it over)\n%s", command, got)
		}
		return bytes.Join([][]byte{parts[1], []byte("$ " + command + "\n"), broken(string(got)), parts[3]}, nil)
	})
	if blocks < 5 {
		t.Errorf("only %d blocks are checked", blocks)
	}
	if *updateReadme {
		if err := os.WriteFile(file, updated, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// broken breaks the long lines of what was printed at blanks, as they stand in the README.
func broken(s string) []byte {
	const width = 120
	var b bytes.Buffer
	for line := range strings.Lines(s) {
		line = strings.TrimRight(line, "\n")
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))] + "    "
		for len(line) > width {
			at := strings.LastIndex(line[:width], " ")
			if at <= len(indent) {
				break
			}
			b.WriteString(line[:at] + "\n")
			line = indent + line[at+1:]
		}
		b.WriteString(line + "\n")
	}
	return b.Bytes()
}
