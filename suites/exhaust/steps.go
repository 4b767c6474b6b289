package exhaust

import (
	"fmt"
	"strings"

	"pivotspec/suites/model"
)

// Steps says how to build the world and make the call, in the words of a shell session and of
// system calls, for a person to repeat. fd(1:/a) is a descriptor of a place, opened before
// anything was mounted on it.
func Steps(w *model.World) []string {
	out := []string{"in an initramfs with a /proc: mkdir -p /a/b /c /x; touch /f; unshare --mount --propagation private"}
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	path := make([]string, len(w.Mounts))
	build := func(i int) {
		m := &w.Mounts[i]
		switch m.State {
		case model.Foreign:
			path[i] = fmt.Sprintf("fd(%d:/)", i)
			add("in another `unshare --mount`: %s is an O_PATH descriptor of /", path[i])
			return
		case model.Attached:
			path[i] = strings.TrimSuffix(path[m.On.Mount], "/") + strings.TrimSuffix(strings.TrimPrefix(m.On.Dir.String(), strings.TrimSuffix(w.Mounts[m.On.Mount].Root.String(), "/")), "/")
			if path[i] == "" {
				path[i] = "/"
			}
		default:
			path[i] = "/t"
		}
		on := fmt.Sprintf("mount %d on %v", i, m.On)
		switch {
		case m.State == model.Detached:
			add("mount -t tmpfs tmpfs /t; mkdir -p /t/a/b /t/c /t/x; hold descriptors of its directories; umount --lazy /t: mount %d", i)
		case m.State == model.Anonymous:
			add("mount -t tmpfs tmpfs /t; mkdir -p /t/a/b /t/c /t/x; open_tree(\"/t\", OPEN_TREE_CLONE) is mount %d", i)
		case int(m.FS) != i:
			add("mount --bind fd(%v) %s: %s", model.Pos{Mount: m.FS, Dir: m.Root}, path[i], on)
		default:
			p := strings.TrimSuffix(path[i], "/")
			add("mount -t tmpfs tmpfs %s; mkdir -p %s/a/b %[2]s/c %[2]s/x %[2]s/proc; touch %[2]s/f; mount --bind /proc %[2]s/proc: %[3]s", path[i], p, on)
		}
	}
	if path[0] = "/"; w.OwnUserNS() {
		for i := range w.Mounts {
			if i > 0 && w.Mounts[i].Locked {
				build(i)
			}
		}
		add("setns to the mount namespace that a child made with unshare(CLONE_NEWUSER|CLONE_NEWNS): the mounts until here are locked")
	}
	for i, m := range w.Mounts {
		if i > 0 && !m.Locked {
			build(i)
		}
	}
	for i, m := range w.Mounts {
		switch m.Propagation {
		case model.Private:
		case model.Slave:
			add("mount --make-shared fd(%d:%v); open_tree(that, OPEN_TREE_CLONE); mount --make-slave fd(%[1]d:%[2]v)", i, m.Root)
		default:
			add("mount --make-%v fd(%d:%v)", m.Propagation, i, m.Root)
		}
	}
	add("rmdir every x, holding a descriptor of it")
	for i, t := range w.Tasks {
		where := "in the same mount namespace"
		if t.Other {
			where = "in another mount namespace"
		}
		add("bystander %d, %s: fchdir(fd(%v)), chroot(\".\"), fchdir(fd(%v))", i+1, where, t.Root, t.Cwd)
	}
	add("fchdir(fd(%v)), chroot(\".\"), fchdir(fd(%v))", w.Root, w.Cwd)
	if w.Incapable {
		add("take CAP_SYS_ADMIN out of the effective set")
	}
	add("pivot_root(%s, %s)", argText(w, w.New), argText(w, w.Old))
	return out
}

func argText(w *model.World, a model.Arg) string {
	switch a.Kind {
	case model.BadAddress:
		return "(char *)-4096"
	case model.Descriptor:
		slash := "/"
		if !w.HasProc(w.Root) {
			slash = ""
		}
		return fmt.Sprintf("\"%sproc/self/fd/N\" with N = fd(%v)", slash, a.At)
	}
	return fmt.Sprintf("%q", a.Path)
}
