package lookup

import (
	"strings"

	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// maxLinks is how many symbolic links one look-up follows, MAXSYMLINKS of include/linux/namei.h.
const maxLinks = 40

// links returns the specs of symbolic links and of files that an argument is taken through.
func links() []spec.Spec {
	var all []spec.Spec
	for _, x := range []struct {
		arg  string
		args func(bad string) (newRoot, putOld string)
		// good is what the bad path leads to, dir the directory on the mount that it is in.
		good, dir string
	}{
		{"new-root", func(p string) (string, string) { return p, "/new/old" }, "new", "/"},
		{"put-old", func(p string) (string, string) { return "/new", p }, "old", "/new/"},
	} {
		pivot := func(w *sandbox.World, p string) sandbox.Call {
			newRoot, putOld := x.args(p)
			return w.PivotRoot(newRoot, putOld)
		}
		through := func(n int) string { return x.dir + strings.Repeat("s/", n) + x.good }
		all = append(all,
			spec.Spec{ID: "eloop/" + x.arg + "-41-symlinks", Body: func(w *sandbox.World) {
				w.Jail()
				w.Symlink(".", x.dir+"s")
				w.Observe(pivot(w, through(maxLinks+1)))
				w.Control(pivot(w, through(maxLinks)))
			}},
			spec.Spec{ID: "eloop/" + x.arg + "-symlink-on-nosymfollow-mount", Body: func(w *sandbox.World) {
				w.Jail()
				w.Symlink(x.good, x.dir+"link")
				w.FollowSymlinks(x.dir, false)
				w.Observe(pivot(w, x.dir+"link"))
				w.FollowSymlinks(x.dir, true)
				w.Control(pivot(w, x.dir+"link"))
			}},
			spec.Spec{ID: "enotdir/" + x.arg + "-symlink-to-a-file", Body: func(w *sandbox.World) {
				w.Jail()
				w.File(x.dir + "file")
				w.Symlink("file", x.dir+"link")
				w.Observe(pivot(w, x.dir+"link"))
				w.Control(pivot(w, x.dir+x.good))
			}},
		)
	}
	return all
}
