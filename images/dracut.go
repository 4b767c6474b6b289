package images

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"pivotspec/kernels"
	"pivotspec/suites/disk"
	"pivotspec/suites/spec"
)

// dracutArgs are the arguments of dracut: the least that finds a root and drops into a shell. The
// kernel's modules stay out, so that one image is for every kernel, and what depends on the
// machine or the time does, so that it is the same everywhere. Without strip, which is in
// binutils, nothing is stripped.
func dracutArgs() []string {
	return []string{
		"--no-kernel", "--force", "--no-hostonly", "--no-hostonly-cmdline", "--reproducible", "--nostrip",
		"--no-compress", "--no-early-microcode", "--modules", "base rootfs-block fs-lib udev-rules",
		"--install", "/" + disk.PivotRoot, "--tmpdir", "/tmp",
	}
}

// dracutScript runs dracut in the folder $1, as root of a user namespace of its own: dracut is
// a shell script that needs the programs that it puts into the image, a /proc and a /dev/null.
const dracutScript = `set -e
root=$1
shift
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
exec chroot "$root" /usr/bin/dracut "$@"
`

// Dracut returns the initramfs that dracut makes of Debian packages. They are unpacked into a folder
// and dracut runs there, without privileges: in a user namespace, which the machine has to
// allow. An image is made once for the same packages and arguments, and then taken from the cache.
//
// It works only on a machine that can run the packages' programs.
func (b *Builder) Dracut(ctx context.Context, debs []kernels.Deb) (*Image, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q\n", dracutScript, dracutArgs())
	for _, d := range debs {
		if d.Err != nil {
			return nil, d.Err
		}
		fmt.Fprintln(h, d.Package.Name, d.SHA256)
	}
	key := hex.EncodeToString(h.Sum(nil))
	return b.single(ctx, "dracut "+key, func(ctx context.Context) (*Image, error) {
		if b.Dir != "" {
			if err := os.MkdirAll(b.Dir, 0o755); err != nil {
				return nil, fmt.Errorf("images: make the cache: %w", err)
			}
		}
		// The image is named by its content, and this by what it was made of.
		note := filepath.Join(b.Dir, "dracut-from-"+key[:16])
		if img, ok := noted(note); ok {
			return img, nil
		}
		var img Image
		var err error
		img.Path, img.SHA256, err = b.store("dracut", ".cpio", 0o644, func(f *os.File) error {
			return b.runDracut(ctx, debs, f.Name())
		})
		if err != nil {
			return nil, err
		}
		// Torn or lost, it only costs the time to make the image again.
		if err := os.WriteFile(note, []byte(filepath.Base(img.Path)+" "+img.SHA256+"\n"), 0o644); err != nil {
			return nil, fmt.Errorf("images: write to the cache: %w", err)
		}
		return &img, nil
	})
}

// noted returns the image that a note names, if it is there and whole.
func noted(note string) (*Image, bool) {
	b, err := os.ReadFile(note)
	f := strings.Fields(string(b))
	if err != nil || len(f) != 2 || f[0] != filepath.Base(f[0]) {
		return nil, false
	}
	img := &Image{Path: filepath.Join(filepath.Dir(note), f[0]), SHA256: f[1]}
	sum, err := hashFile(img.Path)
	return img, err == nil && sum == img.SHA256
}

// runDracut makes an image and moves it to the path.
func (b *Builder) runDracut(ctx context.Context, debs []kernels.Deb, to string) error {
	dir, err := filepath.Abs(b.Dir)
	if err != nil {
		return fmt.Errorf("images: %w", err)
	}
	work, err := os.MkdirTemp(dir, ".dracut-")
	if err != nil {
		return fmt.Errorf("images: write to the cache: %w", err)
	}
	defer os.RemoveAll(work)
	if err := unpackTree(ctx, debs, work); err != nil {
		return err
	}
	args := slices.Concat([]string{"-c", dracutScript, "sh", work}, dracutArgs(), []string{"/initramfs", "none"})
	cmd := exec.CommandContext(ctx, "/bin/sh", args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "SOURCE_DATE_EPOCH=0"}
	cmd.Dir = "/"
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if said.Len() == 0 {
			return fmt.Errorf("images: dracut could not be started in a user namespace of its own: %w; allow those (see user_namespaces(7))", err)
		}
		return fmt.Errorf("images: dracut: %w: %s", err, lastLine(said.String()))
	}
	return os.Rename(filepath.Join(work, "initramfs"), to)
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}

// unpackTree unpacks packages into an empty folder, which nothing in them can lead out of.
func unpackTree(ctx context.Context, debs []kernels.Deb, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("images: %w", err)
	}
	defer root.Close()
	for _, d := range []string{"proc", "dev", "sys", "tmp", "var/tmp"} {
		if err := root.MkdirAll(d, 0o755); err != nil {
			return fmt.Errorf("images: %w", err)
		}
	}
	for _, m := range merged() {
		if err := root.MkdirAll("usr/"+m, 0o755); err != nil {
			return fmt.Errorf("images: %w", err)
		}
		if err := root.Symlink("usr/"+m, m); err != nil {
			return fmt.Errorf("images: %w", err)
		}
	}
	for _, d := range debs {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		err := kernels.ReadPackage(d.File, func(m kernels.Member) error { return unpackMember(root, m) })
		if err != nil {
			return fmt.Errorf("images: unpack %s %s: %w", d.Package.Name, d.Version, err)
		}
	}
	return nil
}

func unpackMember(root *os.Root, m kernels.Member) error {
	p := intoUsr(m.Path)
	if p == "" || p == "." || slices.Contains(merged(), p) {
		return nil
	}
	if err := root.MkdirAll(path.Dir(p), 0o755); err != nil {
		return err
	}
	switch {
	case m.Hard:
		return root.Link(intoUsr(m.Link), p)
	case m.Mode.IsDir():
		return root.MkdirAll(p, 0o755)
	case m.Mode&fs.ModeSymlink != 0:
		if err := root.Symlink(m.Link, p); !errors.Is(err, fs.ErrExist) {
			return err
		}
		return nil
	}
	f, err := root.OpenFile(p, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, m.Mode.Perm()|0o200)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.Copy(f, m.Content); err != nil {
		return err
	}
	return f.Close()
}

// shellProfile is what dracut's shell runs when it starts: a user's commands. The folder is where
// dracut has mounted the real root.
const shellProfile = "cd " + disk.Sysroot + "\n" + spec.ScenarioVariable + "=%s /pivotspec %s\n"

// InShell returns an archive that has the guest run in the shell into which dracut drops, where
// that scenario's specs run. It goes behind the image of [Builder.Dracut]. What makes a report of the
// machine for dracut's authors before each shell, which is most of the time until there is one, is
// left out; and the devices are there that dracut cannot make without being root.
func (b *Builder) InShell(ctx context.Context, guest *Image, scenario string) (*Image, error) {
	return b.single(ctx, "in the shell "+scenario+" "+guest.BinarySHA256, func(context.Context) (*Image, error) {
		entries := append(skeleton(),
			FromFile("pivotspec", 0o755, guest.Binary),
			File(".profile", 0o644, fmt.Appendf(nil, shellProfile, scenario, disk.InShell)),
			File("usr/sbin/rdsosreport", 0o755, []byte("#!/bin/sh\n")),
		)
		var img Image
		var err error
		img.Path, img.SHA256, err = b.store("in-shell", ".cpio", 0o644, func(f *os.File) error { return Build(f, entries) })
		return &img, err
	})
}

// RealRoot returns a disk with an ext4 that passes for a system to dracut: with the folders
// that one has, an init, and util-linux's pivot_root(8) out of the packages.
func (b *Builder) RealRoot(ctx context.Context, debs []kernels.Deb) (*Image, error) {
	t, err := readTree(ctx, debs)
	if err != nil {
		return nil, err
	}
	way, err := t.follow(disk.PivotRoot)
	if err != nil {
		return nil, err
	}
	program := t.files[way[len(way)-1]].content
	sum := sha256.Sum256(program)
	return b.single(ctx, "real root "+hex.EncodeToString(sum[:]), func(context.Context) (*Image, error) {
		work, err := os.MkdirTemp(b.Dir, ".disks-")
		if err != nil {
			return nil, fmt.Errorf("images: write to the cache: %w", err)
		}
		defer os.RemoveAll(work)
		content, err := ext4Image(work, ext4Shape{size: 2 << 20, inodes: 64, volume: "real-root", folders: disk.RealRootFolders(), files: map[string][]byte{
			disk.PivotRoot: program,
			"sbin/init":    []byte("#!/bin/sh\n"),
		}})
		if err != nil {
			return nil, fmt.Errorf("images: make the real root: %w", err)
		}
		var img Image
		img.Path, img.SHA256, err = b.store("real-root", ".img", 0o644, func(f *os.File) error {
			_, err := f.Write(content)
			return err
		})
		return &img, err
	})
}
