package host_test

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// machine is what of a machine a run must leave as it was, as texts by what they are of.
type machine struct {
	facts map[string]string
	// tasks are the places of each task's root and cwd, and its mount table.
	tasks map[task]places
}

// task is a thread, with its start time, so that another one with its ID is not it.
type task struct {
	id    string
	start string
}

type places struct {
	root, cwd place
	ns        string
	mounts    string
}

// place is where a link of a task leads.
type place struct {
	mount, inode uint64
	device, path string
}

// look takes the machine's measure, as well as the caller can see it.
func look() *machine {
	m := &machine{facts: map[string]string{}, tasks: map[task]places{}}
	for _, f := range []string{
		"/proc/self/mountinfo", "/proc/1/mountinfo", "/proc/filesystems", "/proc/swaps", "/proc/1/cgroup", "/proc/self/cgroup",
		"/proc/sysvipc/msg", "/proc/sysvipc/sem", "/proc/sysvipc/shm", "/sys/kernel/security/apparmor/profiles",
		"/sys/kernel/security/lsm",
	} {
		m.file(f)
	}
	m.facts["/proc/modules"] = names("/proc/modules")
	m.folder("/dev", 1)
	m.folder("/sys/fs/cgroup", 4)
	m.folder("/sys/module", 1)
	m.folder("/", 1)
	loops, _ := filepath.Glob("/sys/block/loop*/loop/backing_file")
	for _, f := range loops {
		m.file(f)
	}
	m.sysctls()
	threads, _ := filepath.Glob("/proc/[0-9]*/task/[0-9]*")
	for _, dir := range threads {
		t, p, ok := lookAt(dir)
		if ok {
			m.tasks[t] = p
		}
	}
	return m
}

func (m *machine) file(name string) {
	b, err := os.ReadFile(name)
	if err != nil {
		b = []byte(reason(err))
	}
	m.facts[name] = string(b)
}

// names returns the first word of each line of a file.
func names(file string) string {
	b, _ := os.ReadFile(file)
	var out []string
	for line := range strings.Lines(string(b)) {
		name, _, _ := strings.Cut(line, " ")
		out = append(out, name)
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// folder notes what is in a folder, down to a depth.
func (m *machine) folder(root string, depth int) {
	var out []string
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		rel, _ := filepath.Rel(root, path)
		if n := strings.Count(rel, "/") + 1; rel != "." && d.IsDir() && n >= depth {
			out = append(out, rel)
			return fs.SkipDir
		}
		out = append(out, rel)
		return nil
	})
	m.facts[root] = strings.Join(out, "\n")
}

// sysctls notes every sysctl that can be read.
func (m *machine) sysctls() {
	_ = filepath.WalkDir("/proc/sys", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && path != "/proc/sys/kernel/random/uuid" {
			if b, err := os.ReadFile(path); err == nil {
				m.facts[path] = string(b)
			}
		}
		return nil
	})
}

// lookAt returns the places of a task, unless it has none or ends meanwhile.
func lookAt(dir string) (task, places, bool) {
	start := startTime(dir)
	if start == "" {
		return task{}, places{}, false
	}
	var p places
	var ok [2]bool
	p.root, ok[0] = follow(dir + "/root")
	p.cwd, ok[1] = follow(dir + "/cwd")
	p.ns, _ = os.Readlink(dir + "/ns/mnt")
	mounts, err := os.ReadFile(dir + "/mountinfo")
	p.mounts = string(mounts)
	if !ok[0] || !ok[1] || err != nil || startTime(dir) != start {
		return task{}, places{}, false
	}
	return task{dir, start}, p, true
}

// startTime is the twenty-second field of proc_pid_stat(5).
func startTime(dir string) string {
	b, err := os.ReadFile(dir + "/stat")
	_, back, ok := strings.Cut(string(b), ") ")
	if f := strings.Fields(back); err == nil && ok && len(f) > 19 {
		return f[19]
	}
	return ""
}

func follow(link string) (place, bool) {
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, link, 0, unix.STATX_INO|unix.STATX_MNT_ID, &st); err != nil {
		return place{}, false
	}
	path, _ := os.Readlink(link)
	return place{st.Mnt_id, st.Ino, fmt.Sprintf("%d:%d", st.Dev_major, st.Dev_minor), path}, true
}

// compare returns what differs from before to after. restless are facts that change by
// themselves.
//
// A machine does not stand still: of a task that is not ours, a root or cwd that is elsewhere
// than before counts only if it is where its own mount table does not reach, for there it
// cannot have gone by itself. ours are the processes of the test, which do stand still.
func compare(before, after *machine, restless map[string]bool, ours []int) (diffs []string) {
	for _, name := range slices.Sorted(maps.Keys(before.facts)) {
		if a, b := before.facts[name], after.facts[name]; a != b && !restless[name] {
			diffs = append(diffs, fmt.Sprintf("%s was\n%s\nand is\n%s", name, a, b))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(after.facts)) {
		if _, ok := before.facts[name]; !ok && !restless[name] {
			diffs = append(diffs, name+" is new")
		}
	}
	seen := 0
	for t, was := range before.tasks {
		now, ok := after.tasks[t]
		if !ok {
			continue
		}
		seen++
		own := slices.ContainsFunc(ours, func(pid int) bool { return strings.HasPrefix(t.id, "/proc/"+strconv.Itoa(pid)+"/") })
		if own && now != was {
			diffs = append(diffs, fmt.Sprintf("%s was at %+v %+v and is at %+v %+v", t.id, was.root, was.cwd, now.root, now.cwd))
		}
		for what, p := range map[string][2]place{"root": {was.root, now.root}, "cwd": {was.cwd, now.cwd}} {
			if p[0] != p[1] && !strings.Contains(now.mounts, " "+p[1].device+" ") {
				diffs = append(diffs, fmt.Sprintf("%s of %s was at %+v and is at %+v, which is on none of its mounts", what, t.id, p[0], p[1]))
			}
		}
	}
	if seen == 0 {
		diffs = append(diffs, "no task was seen before and after")
	}
	return diffs
}

// restless returns the facts that change although nothing is done.
func restless(a, b *machine) map[string]bool {
	out := map[string]bool{}
	for name := range a.facts {
		if a.facts[name] != b.facts[name] {
			out[name] = true
		}
	}
	// Counters, and what they count, that may also be quiet for a moment.
	for _, name := range []string{
		"/proc/sys/fs/dentry-state", "/proc/sys/fs/file-nr", "/proc/sys/fs/inode-nr", "/proc/sys/fs/inode-state",
		"/proc/sys/kernel/ns_last_pid", "/proc/sys/kernel/pty/nr", "/proc/sys/kernel/random/entropy_avail",
		"/proc/sys/fs/quota/syncs", "/proc/sys/fs/aio-nr",
	} {
		out[name] = true
	}
	return out
}

func reason(err error) string {
	if os.IsNotExist(err) {
		return "not there"
	}
	return err.Error()
}
