package sandbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Opcodes of FUSE, see include/uapi/linux/fuse.h.
const (
	fuseLookup  = 1
	fuseGetattr = 3
	fuseOpen    = 14
	fuseFlush   = 25
	fuseInit    = 26
)

// FlushHolder is a filesystem of one file, whose close waits until the spec ends. A task that exits
// closes its files after it is marked as exiting and before it lets go of its root and cwd, so that
// one which has the file open stays between the two.
type FlushHolder struct {
	world *World
	dev   int
}

// heldFile is the name of the file.
const heldFile = "/held"

// FlushHolder opens /dev/fuse; so it has to be called before the world leaves its first root. A kernel
// without FUSE ends the spec as unsupported.
func (w *World) FlushHolder() *FlushHolder {
	dev, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENXIO) {
		w.lacks("the kernel has no FUSE", "fuse")
	}
	w.quiet("open /dev/fuse", err)
	w.Defer(func() { unix.Close(dev) })
	return &FlushHolder{world: w, dev: dev}
}

// Mount mounts the filesystem on the directory at path.
func (h *FlushHolder) Mount(path string) {
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", h.dev)
	h.world.must("mount -t fuse fuse "+path, unix.Mount("fuse", path, "fuse", 0, options))
}

// await answers the kernel until a task closes the file, which is answered when the spec ends. It
// does so on the spec's thread: with another, each answer would wait for Go to change between them.
func (h *FlushHolder) await() {
	w := h.world
	buf := make([]byte, 1<<14) // more than the least that the kernel asks for
	for {
		fds := []unix.PollFd{{Fd: int32(h.dev), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, int(patience.Milliseconds()))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		w.quiet("poll /dev/fuse", err)
		if n == 0 {
			w.Broken("set-up: nobody has closed the file on the FUSE within %v", patience)
		}
		n, err = unix.Read(h.dev, buf)
		w.quiet("read /dev/fuse", err)
		if h.answer(buf[:n]) {
			return
		}
	}
}

// answer answers a request, and says whether it is that of a task that closes the file.
func (h *FlushHolder) answer(request []byte) (flush bool) {
	w, order := h.world, binary.NativeEndian
	const in, out = 40, 16 // sizes of struct fuse_in_header and fuse_out_header
	if len(request) < in {
		w.Broken("set-up: the kernel asks the FUSE in %d bytes", len(request))
	}
	unique, node := order.Uint64(request[8:]), order.Uint64(request[16:])
	send := func(size int, errno unix.Errno, fill func(b []byte)) {
		b := make([]byte, out+size)
		order.PutUint32(b, uint32(len(b)))
		order.PutUint32(b[4:], -uint32(errno))
		order.PutUint64(b[8:], unique)
		if fill != nil {
			fill(b[out:])
		}
		_, err := unix.Write(h.dev, b)
		w.quiet("write /dev/fuse", err)
	}
	// attr fills a struct fuse_attr.
	attr := func(b []byte, node uint64) {
		mode := uint32(unix.S_IFREG | 0o444)
		if node == 1 {
			mode = unix.S_IFDIR | 0o755
		}
		order.PutUint64(b, node)
		order.PutUint32(b[60:], mode)
		order.PutUint32(b[64:], 1)
	}
	switch order.Uint32(request[4:]) {
	case fuseInit:
		send(64, 0, func(b []byte) {
			order.PutUint32(b, 7)
			order.PutUint32(b[4:], 23)
			order.PutUint32(b[20:], 4096)
		})
	case fuseLookup:
		send(128, 0, func(b []byte) {
			order.PutUint64(b, 2)
			attr(b[40:], 2)
		})
	case fuseGetattr:
		send(104, 0, func(b []byte) { attr(b[16:], node) })
	case fuseOpen:
		send(16, 0, nil)
	case fuseFlush:
		// Before the descriptor is closed: the child may have a copy, which would keep it waiting.
		w.Defer(func() { send(0, 0, nil) })
		return true
	default:
		send(0, unix.ENOSYS, nil)
	}
	return false
}

// OpenHeld is the last step of a child that is to exit by [Process.ExitSlowly]: it opens the file of a
// [FlushHolder] that is mounted on path.
func (s *Script) OpenHeld(path string) {
	s.Pause()
	s.add("open "+path+heldFile, unix.SYS_OPENAT, atFdcwd, s.str(path+heldFile), unix.O_RDONLY)
}

// ExitSlowly lets the child, which stands before [Script.OpenHeld], take that step and exit, and
// returns while it exits.
func (p *Process) ExitSlowly(h *FlushHolder) {
	w := p.world
	// For the pause in which it stands and for that at its end: nobody could answer it meanwhile.
	_, err := unix.Write(p.script.resume[1], []byte{1, 1})
	w.quiet("resume "+p.name, err)
	h.await()
	// PF_EXITING of include/linux/sched.h; proc_pid_stat(5): the flags are the seventh field behind the name.
	const exiting = 4
	_, back, _ := strings.Cut(w.readProc(fmt.Sprintf("%d/stat", p.PID)), ") ")
	f := strings.Fields(back)
	if len(f) < 7 {
		w.Broken("set-up: cannot read /proc/%d/stat", p.PID)
	}
	flags, err := strconv.ParseUint(f[6], 10, 32)
	w.quiet("read the flags of "+p.name, err)
	if flags&exiting == 0 {
		w.Broken("set-up: %s closes its files and does not exit", p.name)
	}
	w.note(p.name + ": opens the file there and exits, which its close holds up")
}
