package follow

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pivotspec/kernels"
)

// fake follows a file that is a kernel if it ends in a full stop, by a clock that nobody has to wait for.
type fake struct {
	*Follower
	t     *testing.T
	path  string
	asked int
	notes []string
}

func newFake(t *testing.T, path, image string) *fake {
	f := &fake{t: t, path: image}
	f.Follower = &Follower{
		Path: path, Every: time.Millisecond, Quiet: 3 * time.Millisecond,
		Identify: func(context.Context, string) (kernels.Kernel, error) {
			f.asked++
			b, err := os.ReadFile(image)
			if err != nil {
				return kernels.Kernel{}, err
			}
			if !strings.HasSuffix(string(b), ".") {
				return kernels.Kernel{}, errors.New("cut short")
			}
			return kernels.Kernel{Image: image, SHA256: string(b)}, nil
		},
		Note: func(line string) { f.notes = append(f.notes, line) },
	}
	return f
}

func (f *fake) write(text string) {
	f.t.Helper()
	if err := os.WriteFile(f.path, []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fake) next() string {
	f.t.Helper()
	ctx, stop := context.WithTimeout(f.t.Context(), time.Minute)
	defer stop()
	k, err := f.Next(ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	return k.SHA256
}

// never makes sure that there is nothing new, however often the file is looked at.
func (f *fake) never(during func()) {
	f.t.Helper()
	ctx, stop := context.WithTimeout(f.t.Context(), 50*time.Millisecond)
	defer stop()
	if during != nil {
		during()
	}
	if k, err := f.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		f.t.Errorf("got %q, %v, want nothing", k.SHA256, err)
	}
}

// noted waits until there is something to tell.
func (f *fake) noted(during func()) {
	f.t.Helper()
	ctx, stop := context.WithTimeout(f.t.Context(), time.Minute)
	defer stop()
	note := f.Note
	defer func() { f.Note = note }()
	f.Note = func(line string) { note(line); stop() }
	during()
	if k, err := f.Next(ctx); !errors.Is(err, context.Canceled) {
		f.t.Errorf("got %q, %v, want a note", k.SHA256, err)
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bzImage")
	f := newFake(t, path, path)
	f.write("one.")
	if got := f.next(); got != "one." {
		t.Errorf("got %q", got)
	}
	f.never(nil)
	f.never(func() { f.write("one.") }) // built anew to the same
	f.noted(func() { f.write("two, of which only a half is ther") })
	if f.Changed() {
		t.Error("what is there was looked at")
	}
	f.write("two, all of it.")
	if !f.Changed() {
		t.Error("the change is not seen")
	}
	if got := f.next(); got != "two, all of it." {
		t.Errorf("got %q", got)
	}
	f.never(func() { os.Remove(path) })
	f.write("three.")
	if got := f.next(); got != "three." {
		t.Errorf("got %q", got)
	}
	if want := []string{"cut short"}; !slices.Equal(f.notes, want) {
		t.Errorf("notes %q, want %q", f.notes, want)
	}
}

// TestTree: a tree in which there is no kernel yet; its image is what is looked at from then on.
func TestTree(t *testing.T) {
	tree := t.TempDir()
	image := filepath.Join(tree, "arch/x86/boot/bzImage")
	f := newFake(t, tree, image)
	f.never(nil)
	f.never(nil)
	if len(f.notes) != 1 || !strings.Contains(f.notes[0], "no such file") {
		t.Errorf("notes: %q", f.notes)
	}
	if err := os.MkdirAll(filepath.Dir(image), 0o755); err != nil {
		t.Fatal(err)
	}
	f.write("one.")
	if got := f.next(); got != "one." {
		t.Errorf("got %q", got)
	}
	asked := f.asked
	f.never(func() { os.WriteFile(filepath.Join(tree, "vmlinux"), []byte("x"), 0o644) })
	if f.asked != asked {
		t.Error("another file's change was taken for the image's")
	}
	f.write("two.")
	if got := f.next(); got != "two." {
		t.Errorf("got %q", got)
	}
}

// TestPackages: what was unpacked from a folder of packages is in a cache, and never changes.
func TestPackages(t *testing.T) {
	f := newFake(t, t.TempDir(), filepath.Join(t.TempDir(), "image"))
	f.write("one.")
	var e *Error
	if _, err := f.Next(t.Context()); !errors.As(err, &e) {
		t.Errorf("got %v", err)
	}
}

// TestAgain: a run that does not count is made up for, whatever the file has become.
func TestAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bzImage")
	f := newFake(t, path, path)
	f.write("one.")
	f.next()
	if err := os.Chtimes(path, time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if !f.Changed() {
		t.Fatal("the change is not seen")
	}
	f.Again()
	if got := f.next(); got != "one." {
		t.Errorf("got %q", got)
	}
	f.never(nil)
}

// TestWhileLinking: a file that is being written is not asked for before it rests.
func TestWhileLinking(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bzImage")
	f := newFake(t, path, path)
	f.write("one.")
	f.next()
	f.Quiet = time.Hour
	asked := f.asked
	f.never(func() { f.write("t.") })
	if f.asked != asked {
		t.Error("asked at once")
	}
}
