package runner

import (
	"os"
	"strconv"
	"strings"
)

// room is how many namespaces and threads there may be, which is several times what the parked
// worlds of all specs have.
const room = 8192

// makeRoom raises the limits that the kernel derives from its memory and the size of a thread's
// stack (set_max_threads and fork_init of kernel/fork.c): with 256 MiB and large stacks or pages
// they are below what the worlds take that specs leave parked. A limit that cannot be read or
// raised is left; a spec that reaches it is broken and says so.
func makeRoom() {
	for _, name := range []string{
		"kernel/threads-max", "user/max_mnt_namespaces", "user/max_user_namespaces", "user/max_pid_namespaces",
	} {
		path := "/proc/sys/" + name
		b, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if n, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil && n < room {
			_ = os.WriteFile(path, strconv.AppendInt(nil, room, 10), 0o644)
		}
	}
}
