// Package follow waits until a kernel that a user builds again and again is there anew, and whole. A kernel that
// is being linked is not a kernel yet.
package follow

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"pivotspec/kernels"
)

// Follower follows one kernel: an image, a package, or a folder with an image, such as a build tree.
type Follower struct {
	// Path is what the user gave.
	Path string
	// Identify says what kernel there is at a path, as [kernels.Store.FromPath] does.
	Identify func(ctx context.Context, path string) (kernels.Kernel, error)
	// Every is how often the file is looked at, Quiet how long it has to stay as it is to count as whole.
	Every, Quiet time.Duration
	// Note is told once of each state in which there is something, and no kernel that can be booted.
	Note func(line string)

	image string // the file that is looked at, "" as long as there has been none
	hash  string // of the kernel that was returned last
	seen  state  // the file's, when it was last asked what kernel it is
	told  string
	begun bool // Next was called
}

// Defaults of Every and Quiet: the one costs nothing, and what writes a kernel does not rest for as
// long as the other.
const (
	Every = 500 * time.Millisecond
	Quiet = 1500 * time.Millisecond
)

// state is what a change of a file cannot leave as it is.
type state struct {
	size     int64
	modified time.Time
	inode    fs.FileInfo // for os.SameFile
}

func (s state) same(o state) bool {
	if s.inode == nil || o.inode == nil {
		return s.inode == nil && o.inode == nil
	}
	return s.size == o.size && s.modified.Equal(o.modified) && os.SameFile(s.inode, o.inode)
}

// look returns the state of the file that is followed.
func (f *Follower) look() state {
	path := f.image
	if path == "" {
		path = f.Path
	}
	info, err := os.Stat(path)
	if err != nil || info.IsDir() {
		return state{}
	}
	return state{info.Size(), info.ModTime(), info}
}

// Next returns the kernel as soon as it is another than the one that Next returned last, the first time
// as soon as there is one. Its error is that of ctx, or says that the path cannot be followed.
func (f *Follower) Next(ctx context.Context) (kernels.Kernel, error) {
	var steady time.Duration // how long the file has been as it is
	before := f.look()
	first := !f.begun
	f.begun = true
	for {
		now := f.look()
		switch {
		case !now.same(before):
			steady = 0
		case first || steady >= f.Quiet && (f.image == "" || now.inode != nil && !now.same(f.seen)):
			// The first is taken as it stands: it may be years old.
			first = false
			k, err := f.identify(ctx, now)
			if err != nil || k.SHA256 != "" {
				return k, err
			}
			steady = 0
		}
		before = now
		select {
		case <-ctx.Done():
			return kernels.Kernel{}, context.Cause(ctx)
		case <-time.After(f.Every):
			steady += f.Every
		}
	}
}

// identify returns the kernel if it is one, another one, and did not change meanwhile; else one without a hash.
func (f *Follower) identify(ctx context.Context, now state) (kernels.Kernel, error) {
	k, err := f.Identify(ctx, f.Path)
	switch {
	case ctx.Err() != nil:
		return kernels.Kernel{}, context.Cause(ctx)
	case err != nil:
		f.seen = now
		f.say(err.Error())
		return kernels.Kernel{}, nil
	}
	if f.image == "" {
		if f.image, err = f.file(k); err != nil {
			return kernels.Kernel{}, err
		}
		now = f.look() // of that file; it may be another than the one that was looked at
	}
	if !f.look().same(now) {
		return kernels.Kernel{}, nil
	}
	f.seen, f.told = now, ""
	if k.SHA256 == f.hash {
		return kernels.Kernel{}, nil // it was touched, or built anew to the same
	}
	f.hash = k.SHA256
	return k, nil
}

// say tells the user once why there is nothing to run.
func (f *Follower) say(line string) {
	if line != f.told && f.Note != nil {
		f.Note(line)
	}
	f.told = line
}

// file returns the file that changes when the kernel does.
func (f *Follower) file(k kernels.Kernel) (string, error) {
	info, err := os.Stat(f.Path)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return f.Path, nil
	}
	root, err := filepath.Abs(f.Path)
	if err != nil {
		return "", err
	}
	below, err := filepath.Rel(root, k.Image)
	if err != nil || below == ".." || strings.HasPrefix(below, "../") {
		return "", &Error{f.Path}
	}
	return k.Image, nil
}

// Changed says whether the file is no longer the one of the kernel that Next returned last. What ran
// meanwhile ran on nobody knows which.
func (f *Follower) Changed() bool { return !f.look().same(f.seen) }

// Again makes Next return the kernel that is there once it rests, also if it is the one that Next returned last:
// built anew to the same while it ran, it would never be another.
func (f *Follower) Again() { f.hash, f.seen = "", state{} }

// Error says that what was given cannot be followed.
type Error struct{ Path string }

func (e *Error) Error() string {
	return fmt.Sprintf("%s holds packages, which are not built in place: give one of them, an image or a build tree", e.Path)
}
