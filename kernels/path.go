package kernels

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// IsPath says whether a user who writes ref means a file or folder and not a name of the
// catalogue: it has a slash in front or a dot, or there is something of that name.
// A name of the catalogue wins over a file that happens to be called like it.
func (c *Catalogue) IsPath(ref string) bool {
	if strings.HasPrefix(ref, "/") || strings.HasPrefix(ref, "./") || strings.HasPrefix(ref, "../") || ref == "." || ref == ".." {
		return true
	}
	if _, err := c.Lookup(ref, ""); err == nil {
		return false
	}
	_, err := os.Lstat(ref)
	return err == nil
}

// FromPath makes a kernel of a file (an image or a package) or of a folder that holds one image
// (an unpacked package, a build tree, a boot folder) or the packages of one kernel. What is no
// kernel, is cut short, or holds several gives a *NotKernelError; a cache that fails when it is
// needed, to unpack a package, an *Unavailable.
func (s *Store) FromPath(ctx context.Context, ref string) (Kernel, error) {
	st, err := os.Stat(ref)
	if err != nil {
		return Kernel{}, &NotKernelError{Path: ref, Why: reasonOf(err), Do: "give a kernel image, a folder with one, or a name from `pivotspec kernels list`", Err: err}
	}
	image, root := ref, filepath.Dir(ref)
	if st.IsDir() {
		if image, err = s.cat.imageIn(ref); err != nil {
			given, err1 := s.cat.packagesIn(ref)
			if given == nil && err1 == nil {
				return Kernel{}, err
			}
			if err1 != nil {
				return Kernel{}, err1
			}
			return s.fromPackages(ctx, ref, given)
		}
		root = ref
	} else if formatOf(ref) != "" {
		return s.fromPackages(ctx, ref, append([]string{ref}, s.cat.siblings(ref)...))
	}
	img, err := Identify(image)
	if err != nil {
		return Kernel{}, err
	}
	if img.Kind == KindVmlinux && !img.PVH && (img.Arch == "amd64" || img.Arch == "i386") {
		return Kernel{}, &NotKernelError{Path: image, Why: "a vmlinux without a PVH entry", Do: "give the bzImage, or build with CONFIG_PVH=y"}
	}
	if image, err = filepath.Abs(image); err != nil {
		return Kernel{}, &NotKernelError{Path: ref, Why: err.Error(), Do: "give an absolute path", Err: err}
	}
	k := Kernel{Name: ref, Series: seriesOf(img.Version), Version: img.Version, Arch: img.Arch, Image: image, Boot: image}
	if k.SHA256, err = HashFile(image); err != nil {
		return Kernel{}, &NotKernelError{Path: image, Why: reasonOf(err), Do: "make it readable", Err: err}
	}
	if k.Version != "" {
		k.Config = firstBeside(root, s.cat.beside.Config, k.Version, func(p string) bool { return modeOf(p).IsRegular() })
		// from 7.2 on the image lies in the folder of the modules, also where they are not
		k.Modules = firstBeside(root, s.cat.beside.Modules, k.Version, func(p string) bool { return modeOf(filepath.Join(p, "kernel")).IsDir() })
	}
	if k.Modules == "" {
		k.NoModules = "there is no modules folder of its release beside it"
	}
	if img.Kind != KindBzImage || img.payloadSize == 0 {
		s.unwrap(ctx, &k)
		return k, nil
	}
	m, err := s.once(ctx, k.SHA256, func(dir string) (meta, error) { return describe(dir, image) })
	var u *Unavailable
	switch {
	case err == nil && m.PVH:
		k.Boot = m.Boot
	case err == nil:
	case ctx.Err() != nil:
		return Kernel{}, ctx.Err()
	case errors.As(err, &u):
		// without a cache the image still boots by its own entry
	default:
		return Kernel{}, &NotKernelError{Path: image, Truncated: errors.As(err, new(truncated)), Why: err.Error(), Do: "copy or build it again", Err: err}
	}
	return k, nil
}

// imageIn returns the one kernel image in the folder dir.
func (c *Catalogue) imageIn(dir string) (string, error) {
	root := os.DirFS(dir)
	for _, group := range c.folders {
		var found []string
		seen := map[string]bool{}
		for _, pattern := range group {
			names, err := fs.Glob(root, pattern)
			if err != nil {
				return "", fmt.Errorf("kernels: %s: %w", pattern, err)
			}
			for _, n := range names {
				p := filepath.Join(dir, n)
				real, err := filepath.EvalSymlinks(p)
				if st, err1 := os.Stat(p); err != nil || err1 != nil || !st.Mode().IsRegular() || seen[real] {
					continue
				}
				seen[real] = true
				found = append(found, p)
			}
		}
		slices.Sort(found)
		switch len(found) {
		case 0:
		case 1:
			return found[0], nil
		default:
			return "", &NotKernelError{Path: dir, Why: fmt.Sprintf("a folder with %d kernels: %s", len(found), strings.Join(found, ", ")), Do: "give one of these files"}
		}
	}
	var looked []string
	for _, group := range c.folders {
		looked = append(looked, group...)
	}
	return "", &NotKernelError{Path: dir, Why: "a folder without a kernel (looked for " + strings.Join(looked, ", ") + ")", Do: "give the image itself"}
}

// modeOf returns the mode of the file at p; that of a device, which nobody here wants, if there is none.
func modeOf(p string) fs.FileMode {
	st, err := os.Stat(p)
	if err != nil {
		return fs.ModeDevice
	}
	return st.Mode()
}

// firstBeside returns the first of paths below root that is good.
func firstBeside(root string, paths []string, release string, good func(path string) bool) string {
	for _, p := range paths {
		p, err := filepath.Abs(filepath.Join(root, strings.ReplaceAll(p, "{release}", release)))
		if err != nil {
			continue
		}
		if good(p) {
			return p
		}
	}
	return ""
}

// HashFile returns the SHA-256 of a file, in hexadecimal. Its error names the file.
func HashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// once returns the entry files/ID of the cache; fill fills its folder if it is not there yet.
// A failure of the cache is an *Unavailable, one of fill's is returned as it is.
func (s *Store) once(ctx context.Context, id string, fill func(dir string) (meta, error)) (meta, error) {
	target := filepath.Join(s.dir, "files", id)
	if m, ok := readEntry(target); ok && m.Looked == looked {
		return m, nil
	}
	unlock, err := s.lock(ctx, "files", func() {})
	if err != nil {
		return meta{}, storeFailure(err)
	}
	defer unlock()
	if m, ok := readEntry(target); ok && m.Looked == looked {
		return m, nil
	}
	work, err := s.workFolder("files")
	if err != nil {
		return meta{}, storeFailure(err)
	}
	defer os.RemoveAll(work)
	m, err := fill(work)
	if isOurs(err) {
		return meta{}, storeFailure(err)
	}
	if err != nil {
		return meta{}, err
	}
	if err := writeMeta(work, m); err != nil {
		return meta{}, storeFailure(err)
	}
	if err := publish(work, target); err != nil {
		return meta{}, storeFailure(err)
	}
	m.place(target)
	return m, nil
}
