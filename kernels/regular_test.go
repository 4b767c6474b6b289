package kernels

import (
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestNotRegular: nobody ever writes to these pipes, and whoever waits for that waits for ever.
func TestNotRegular(t *testing.T) {
	s, err := OpenStore(filepath.Join(t.TempDir(), "cache"), load(t))
	if err != nil {
		t.Fatal(err)
	}
	pipe := func(path string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := unix.Mkfifo(path, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ pipe, give, why string }{
		{"pipe", "pipe", "it is no regular file"},
		{"pipe", ".", "a folder without a kernel"},
		{"boot/vmlinuz-" + rel612, ".", "a folder without a kernel"},
		{"include/config/kernel.release", ".", ""},
		{".config", ".", ""},
		{"modules.order", ".", ""},
	} {
		t.Run(tt.pipe+" in "+tt.give, func(t *testing.T) {
			dir := t.TempDir()
			pipe(filepath.Join(dir, tt.pipe))
			if tt.why == "" {
				write := filepath.Join(dir, "arch/x86/boot/bzImage")
				if err := os.MkdirAll(filepath.Dir(write), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(write, fakeKernel(rel612), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			path := filepath.Join(dir, tt.give)
			k, err := s.FromPath(t.Context(), path)
			switch {
			case tt.why == "" && (err != nil || k.Version != rel612):
				t.Errorf("got %+v, %v", k, err)
			case tt.why != "" && (err == nil || !strings.Contains(err.Error(), tt.why)):
				t.Errorf("got %v, want %q", err, tt.why)
			}
			s.Join([]string{path, path})
		})
	}
}

// TestSegments: each segment of a hostile file can be all of it.
func TestSegments(t *testing.T) {
	b := fakeELF(elf.EM_PPC64, make([]byte, 100*56), []byte("Linux version "+rel612+" ("), 1<<20)
	b[56] = 90 // e_phnum
	path := filepath.Join(t.TempDir(), "vmlinux")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Identify(path); err == nil || !strings.Contains(err.Error(), "an ELF file with 90 segments") {
		t.Errorf("got %v", err)
	}
}
