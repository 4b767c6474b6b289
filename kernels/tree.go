package kernels

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A folder that a user gives may be what a stranger packed: it is looked at through an os.Root,
// which follows no link out of it.

// imageFile is a kernel image in a folder.
type imageFile struct {
	path string
	img  Image
}

// imageIn returns the one kernel image in the folder dir, found false if there is none.
func (c *Catalogue) imageIn(dir string) (image string, found bool, err error) {
	bad := func(why, do string) (string, bool, error) {
		return "", false, &NotKernelError{Path: dir, Why: why, Do: do}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return bad(reasonOf(err), "make it readable")
	}
	defer root.Close()
	var broken error
	for _, group := range c.folders {
		candidates, err := candidates(root, group)
		if err != nil {
			return bad(err.Error(), "give the image itself")
		}
		if len(candidates) == 0 {
			continue
		}
		images, err := identifyAll(dir, candidates)
		if err != nil {
			// another group may have one: powerpc's build has a zImage of a kind unknown here
			broken = cmp.Or(broken, err)
			continue
		}
		release := builtRelease(root)
		if len(images) > 1 {
			// of images that were built at different times the tree itself says which is the last
			if i := slices.IndexFunc(images, func(f imageFile) bool { return f.img.Version == release }); i >= 0 && release != "" &&
				!slices.ContainsFunc(images[i+1:], func(f imageFile) bool { return f.img.Version == release }) {
				images = images[i : i+1]
			}
		}
		if len(images) > 1 {
			var names []string
			for _, f := range images {
				names = append(names, fmt.Sprintf("%s (%s for %s)", f.path, orUnknown(f.img.Version), f.img.Arch))
			}
			return bad(fmt.Sprintf("a folder with %d kernels: %s", len(images), strings.Join(names, ", ")), "give one of these files")
		}
		if v := images[0].img.Version; release != "" && v != "" && v != release {
			return bad(fmt.Sprintf("its image %s is of %s, and the tree has been prepared for %s since", images[0].path, v, release),
				"run make there to build that, or give the image itself")
		}
		return images[0].path, true, nil
	}
	return "", false, broken
}

func orUnknown(version string) string {
	if version == "" {
		return "a version that it does not show"
	}
	return version
}

// candidates returns the files that match a group's patterns: of each folder those that come first
// in the group, in the order of names. A file by several links is one.
func candidates(root *os.Root, group []string) ([]string, error) {
	var out []string
	seen := map[string]bool{}   // by the file itself
	chosen := map[string]bool{} // by folder, of build trees
	for _, pattern := range group {
		names, err := fs.Glob(root.FS(), pattern)
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			st, err := root.Stat(n)
			if err != nil {
				if target, err1 := root.Readlink(n); err1 == nil && !errors.Is(err, fs.ErrNotExist) {
					return nil, fmt.Errorf("%s is a link out of the folder, to %s, which is not followed", n, target)
				}
				continue
			}
			real, err := filepath.EvalSymlinks(filepath.Join(root.Name(), n))
			if err != nil || !st.Mode().IsRegular() || seen[real] {
				continue
			}
			seen[real] = true
			// Image and Image.gz, which lie beside each other, are one kernel
			if dir := filepath.Dir(real); strings.HasPrefix(pattern, "arch/") {
				if chosen[dir] {
					continue
				}
				chosen[dir] = true
			}
			out = append(out, n)
		}
	}
	return out, nil
}

// identifyAll identifies the candidates in the folder dir; those of the same version for the same
// architecture are one kernel. It is an error if none is a kernel.
func identifyAll(dir string, candidates []string) ([]imageFile, error) {
	var images []imageFile
	var first error
	for _, n := range candidates {
		p := filepath.Join(dir, n)
		img, err := Identify(p)
		if err != nil {
			if first == nil {
				first = err
			}
			continue
		}
		if !slices.ContainsFunc(images, func(f imageFile) bool {
			return img.Version != "" && f.img.Version == img.Version && f.img.Arch == img.Arch
		}) {
			images = append(images, imageFile{p, img})
		}
	}
	if len(images) == 0 {
		return nil, first
	}
	slices.SortFunc(images, func(a, b imageFile) int { return strings.Compare(a.path, b.path) })
	return images, nil
}

// builtRelease returns the release that a build tree was last prepared for, "" if root is none.
func builtRelease(root *os.Root) string {
	f, err := openRegularIn(root, "include/config/kernel.release")
	if err != nil {
		return ""
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 256))
	if err != nil || !releaseForm.MatchString(strings.TrimSpace(string(b))) {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// treeOf returns the build tree in which an image at an absolute path was built, "" if it lies in none.
func treeOf(image string) string {
	dir := filepath.Dir(image) // TREE/arch/ARCH/boot
	if arch := filepath.Dir(filepath.Dir(dir)); filepath.Base(dir) == "boot" && filepath.Base(arch) == "arch" {
		return filepath.Dir(arch)
	}
	return ""
}

// noImageIn is the error of a folder without a kernel image and without packages.
func (c *Catalogue) noImageIn(dir string) error {
	exists := func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	}
	if exists("Makefile") && (exists("Kconfig") || exists(".config") || exists("include/config/kernel.release")) {
		do := "run make there"
		if !exists(".config") {
			do = "configure it, and run make there"
		}
		return &NotKernelError{Path: dir, Why: "a kernel's build tree with no kernel built in it", Do: do}
	}
	var looked []string
	for _, group := range c.folders {
		looked = append(looked, group...)
	}
	return &NotKernelError{Path: dir, Why: "a folder without a kernel (looked for " + strings.Join(looked, ", ") + ", and for packages)", Do: "give the image itself"}
}

// configBeside returns the configuration of a kernel whose image lies in the folder dir, "" if none
// that can be read is there.
func (c *Catalogue) configBeside(dir, release string) string {
	for _, pattern := range c.beside.Config {
		p := lookBeside(dir, []string{pattern}, release, fs.FileMode.IsRegular, "")
		if p != "" && (strings.Contains(pattern, "{release}") || fits(p, seriesOf(release))) && isConfig(p) {
			return p
		}
	}
	return ""
}

func isConfig(path string) bool {
	_, err := Kernel{Config: path}.ReadConfig()
	return err == nil
}

// lookBeside returns the first of the paths, seen from the folder dir, that is of the wanted type, or
// has something of it called within; "" if there is none. Paths with a release count only where
// that is known.
func lookBeside(dir string, paths []string, release string, want func(fs.FileMode) bool, within string) string {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	for _, p := range paths {
		if release == "" && strings.Contains(p, "{release}") {
			continue
		}
		p = strings.ReplaceAll(p, "{release}", release)
		top := dir
		// what lies in the folder's parent, as the modules of an image in /boot
		if rest, ok := strings.CutPrefix(p, "../"); ok {
			top, p = filepath.Dir(dir), rest
		}
		root, err := os.OpenRoot(top)
		if err != nil {
			continue
		}
		st, err := root.Stat(filepath.Join(p, within))
		root.Close()
		if err == nil && want(st.Mode()) {
			return filepath.Join(top, p)
		}
	}
	return ""
}

// modulesOrder lists the modules of a build tree, in which they lie where their sources do.
const modulesOrder = "modules.order"

// builtModules takes those modules that are kept out of the build tree dir and returns the folder
// in the cache with them, or "" and why there are none.
func (s *Store) builtModules(ctx context.Context, dir string) (folder, why string, err error) {
	const none = "there is no modules folder of its release beside it"
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", none, nil
	}
	defer root.Close()
	f, err := openRegularIn(root, modulesOrder)
	if err != nil {
		return "", none, nil
	}
	defer f.Close()
	bad := func(err error) error {
		return &NotKernelError{Path: dir, Why: "its modules cannot be used: " + err.Error(), Do: "run make modules there", Err: err}
	}
	var names []string
	lines := bufio.NewScanner(io.LimitReader(f, maxConfig))
	for lines.Scan() {
		// kernel/fs/ext4/ext4.ko up to 6.2, fs/ext4/ext4.o since
		n := strings.TrimPrefix(lines.Text(), "kernel/")
		n = strings.TrimSuffix(strings.TrimSuffix(n, ".o"), ".ko") + ".ko"
		if isKept("kernel/"+n, s.cat.keep) && filepath.IsLocal(n) {
			names = append(names, n)
		}
	}
	if err := lines.Err(); err != nil {
		return "", "", bad(fmt.Errorf("%s: %w", modulesOrder, err))
	}
	if len(names) == 0 {
		return "", "the tree builds none of those that are used", nil
	}
	// each calls use with every module that is there: one that is missing was not built
	each := func(use func(name string, size int64, content io.Reader) error) error {
		for _, n := range names {
			m, err := openRegularIn(root, n)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return errors.New(n + ": " + reasonOf(err))
			}
			st, err := m.Stat()
			if err == nil {
				err = use(n, st.Size(), m)
			}
			m.Close()
			if err != nil {
				return fmt.Errorf("%s: %w", n, err)
			}
		}
		return nil
	}
	id := sha256.New()
	count, total := 0, int64(0)
	err = each(func(name string, size int64, content io.Reader) error {
		fmt.Fprintln(id, name, size)
		count++
		if total += size; total > maxModuleBytes {
			return errTooBig
		}
		_, err := io.CopyN(id, content, size)
		return err
	})
	if err != nil {
		return "", "", bad(err)
	}
	if count == 0 {
		return "", "none of those that are used is built in the tree", nil
	}
	m, err := s.once(ctx, "modules-"+hex.EncodeToString(id.Sum(nil)), func(work string) (meta, error) {
		k := newKeeper(work, s.cat.keep)
		m := meta{Format: metaFormat, Looked: looked, Files: map[string]int64{}}
		return m, each(func(name string, size int64, content io.Reader) error {
			m.Files[modulesFolder+"/"+path.Base(name)] = size
			return k.module("kernel/"+name, size, io.LimitReader(content, size))
		})
	})
	var u *Unavailable
	switch {
	case ctx.Err() != nil:
		return "", "", ctx.Err()
	case errors.As(err, &u):
		return "", "they could not be copied into the cache: " + u.Happened, nil
	case err != nil:
		return "", "", bad(err)
	}
	return m.Modules, "", nil
}
