package diagnose

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"

	"pivotspec/suites/faults"
)

// fail finds out, as the caller, with which part of the path the look-up failed and why.
func (a *Arg) fail(err error) {
	var e unix.Errno
	if !errors.As(err, &e) {
		a.Errno, a.Problem = err.Error(), problemOther
		return
	}
	a.Errno, a.Problem, a.At = errnoName(e), problemOther, a.Path
	switch e {
	case unix.ENOENT:
		if a.Path == "" {
			a.Problem = faults.Empty
			return
		}
		a.Problem = faults.Missing
		if link := a.first(e); link {
			a.Problem = faults.Dangling
		}
	case unix.ENAMETOOLONG:
		a.Problem = faults.LongName
		if len(a.Path) >= unix.PathMax {
			a.Problem = faults.LongPath
			return
		}
		for c := range strings.SplitSeq(a.Path, "/") {
			if len(c) > 255 {
				a.At = c
			}
		}
	case unix.ELOOP:
		a.Problem = faults.Loop
		a.first(e)
		// ST_NOSYMFOLLOW of include/linux/statfs.h.
		var st unix.Statfs_t
		if unix.Statfs(dirOf(a.At), &st) == nil && st.Flags&0x2000 != 0 {
			a.Problem = problemNoFollow
		}
	case unix.ENOTDIR:
		if st, err := look(unix.AT_FDCWD, a.Path); err == nil {
			a.Problem = faults.File
			if isMountRoot(&st) == Yes {
				a.Problem = faults.FileMount
			}
			return
		}
		a.Problem = faults.BelowFile
		a.first(e)
		a.At = dirOf(a.At)
	case unix.EACCES:
		a.Problem = faults.Closed
		link := a.first(e)
		dir := dirOf(a.At)
		if st, err := look(unix.AT_FDCWD, dir); link && err == nil && st.Mode&unix.S_ISVTX != 0 && st.Mode&0o002 != 0 {
			a.Problem = problemProtected
			return
		}
		// A link of procfs leads where another process stands, for those who may trace that.
		var fs unix.Statfs_t
		if link && unix.Statfs(dir, &fs) == nil && int64(fs.Type) == unix.PROC_SUPER_MAGIC {
			a.Problem = problemUntraceable
			return
		}
		if !link {
			a.At = dir
		}
	case unix.EOPNOTSUPP:
		a.Problem = problemFailfs
	}
}

// first finds the shortest beginning of the path with which the look-up fails so, and reports whether
// that is a symbolic link that exists itself.
func (a *Arg) first(e unix.Errno) (link bool) {
	for i := 1; i <= len(a.Path); i++ {
		if i < len(a.Path) && a.Path[i] != '/' || a.Path[i-1] == '/' {
			continue
		}
		prefix := a.Path[:i]
		var st unix.Stat_t
		if err := unix.Lstat(prefix, &st); err != nil {
			if errors.Is(err, e) {
				a.At = prefix
				return false
			}
			continue
		}
		if st.Mode&unix.S_IFMT == unix.S_IFLNK && errors.Is(unix.Stat(prefix, &st), e) {
			a.At = prefix
			return true
		}
	}
	return false
}

// dirOf returns the path of the directory that the last part of a path is looked up in.
func dirOf(path string) string {
	path = strings.TrimRight(path, "/")
	i := strings.LastIndexByte(path, '/')
	switch {
	case i < 0:
		return "."
	case i == 0:
		return "/"
	}
	return path[:i]
}
