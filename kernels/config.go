package kernels

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// maxConfig bounds the size of a configuration, in bytes: one with everything has 300 KiB.
const maxConfig = 4 << 20

// Config is a kernel's configuration: the options that are set, by name, with their values as
// the file has them: y, m, a number, or a text in quotes.
type Config map[string]string

// BuiltIn says whether an option is y.
func (c Config) BuiltIn(option string) bool { return c[option] == "y" }

// optionForm is a line of a configuration that sets an option.
var optionForm = regexp.MustCompile(`^(CONFIG_[A-Za-z0-9_]+)=(.+)$`)

// ParseConfig reads a configuration in the form of a .config file. Text without a single option is
// an error.
func ParseConfig(b []byte) (Config, error) {
	if len(b) > maxConfig {
		return nil, fmt.Errorf("a configuration of %d MiB: %w", len(b)>>20, errTooBig)
	}
	c := Config{}
	for line := range strings.Lines(string(b)) {
		if m := optionForm.FindStringSubmatch(strings.TrimRight(line, "\r\n")); m != nil {
			c[m[1]] = m[2]
		}
	}
	if len(c) == 0 {
		return nil, errors.New("no configuration of a kernel: it sets no option")
	}
	return c, nil
}

// headForm is the head of a configuration, which says what it was made for.
var headForm = regexp.MustCompile(`(?m)^# Linux/[a-z0-9_]+ ([0-9]+\.[0-9]+)[^ ]* Kernel Configuration$`)

// fits says whether the configuration in the file at path, whose name does not say for which
// kernel it is, can be that of a kernel of the series.
func fits(path, series string) bool {
	f, err := openRegular(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, 4096))
	m := headForm.FindSubmatch(head)
	return err == nil && m != nil && string(m[1]) == series
}

// ReadConfig reads the configuration of k, nil if none came with it.
func (k Kernel) ReadConfig() (Config, error) {
	if k.Config == "" {
		return nil, nil
	}
	f, err := openRegular(k.Config)
	if err != nil {
		return nil, fmt.Errorf("the kernel's configuration: %s", reasonOf(err))
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil {
		return nil, fmt.Errorf("the kernel's configuration: %s", reasonOf(err))
	}
	c, err := ParseConfig(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.Config, err)
	}
	return c, nil
}

// withoutModules makes k say so where there can be none: what a kernel without CONFIG_MODULES has is
// built in.
func (k *Kernel) withoutModules() {
	if k.Modules != "" || k.Config == "" {
		return
	}
	if c, err := k.ReadConfig(); err == nil && !c.BuiltIn("CONFIG_MODULES") {
		k.NoModules = "the kernel was configured without CONFIG_MODULES"
	}
}

// ikconfigMark begins the configuration in a kernel that was configured with CONFIG_IKCONFIG
// (kernel/configs.c): the .config file, compressed by gzip.
var ikconfigMark = []byte("IKCFG_ST\x1f\x8b\x08")

// ikconfig returns the configuration that the kernel in the size bytes at r carries, nil if it has
// none. What cannot be read counts as none: the kernel boots all the same.
func ikconfig(r io.ReaderAt, size int64) ([]byte, error) {
	at, err := find(io.NewSectionReader(r, 0, size), ikconfigMark)
	if err != nil || at < 0 {
		return nil, err
	}
	z, err := inflate(io.NewSectionReader(r, at+int64(len("IKCFG_ST")), size-at))
	if err != nil {
		return nil, nil
	}
	defer z.Close()
	var b bytes.Buffer
	if _, err := copyBounded(&b, z, maxConfig); err != nil {
		return nil, nil
	}
	if _, err := ParseConfig(b.Bytes()); err != nil {
		return nil, nil
	}
	return b.Bytes(), nil
}

// find returns where in r the mark is for the first time, -1 if it is not there.
func find(r io.Reader, mark []byte) (int64, error) {
	buf := make([]byte, 1<<20)
	kept, begin := 0, int64(0) // of what is in buf
	for {
		n, err := io.ReadFull(r, buf[kept:])
		b := buf[:kept+n]
		if i := bytes.Index(b, mark); i >= 0 {
			return begin + int64(i), nil
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return -1, nil
		}
		if err != nil {
			return 0, err
		}
		begin += int64(len(b) - len(mark))
		kept = copy(buf, b[len(b)-len(mark):])
	}
}
