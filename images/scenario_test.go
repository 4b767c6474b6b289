package images

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"pivotspec/suites/knowledge"
)

// TestScenarios: each scenario has behaviours, and each that a behaviour names is there.
func TestScenarios(t *testing.T) {
	all, err := Scenarios()
	if err != nil {
		t.Fatal(err)
	}
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range all {
		names = append(names, s.Name)
	}
	slices.Sort(names)
	if got := base.Scenarios(); !slices.Equal(got, names) {
		t.Errorf("behaviours are of the scenarios %q, and scenarios.yaml has %q", got, names)
	}
}

func TestParseScenarios(t *testing.T) {
	const plain = "- {name: plain, says: x}\n"
	if all, err := parseScenarios([]byte(plain)); err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	for text, want := range map[string]string{
		"":                          "the first scenario has to be plain",
		"- {name: disk, says: x}\n": "the first scenario has to be plain",
		plain + plain:               "there is another one of that name",
		plain + "- {name: Disk}\n":  `"Disk" is not the name of a scenario`,
		plain + "- {name: disk}\n":  "it needs to say what it is",
		plain + "- {nam: disk}\n":   "unknown field",
		plain + "- {name: a, says: x, initramfs: lzma}\n":                           `the initramfs cannot be "lzma"`,
		plain + "- {name: a, says: x, modules: [../x]}\n":                           `"../x" is not the name of a module`,
		plain + "- {name: a, says: x, disks: [{content: ntfs}]}\n":                  `nothing makes a disk with the content "ntfs"`,
		plain + "- {name: a, says: x, disks: [{content: ext4}, {content: ext4}]}\n": "the disk ext4 is there twice",
	} {
		if _, err := parseScenarios([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestChoose(t *testing.T) {
	all := []Scenario{{Name: "plain"}, {Name: "ramfs"}, {Name: "disk"}, {Name: "disk-pivot"}}
	for _, tt := range []struct {
		names string
		want  string // names, or a part of the error
	}{
		{"", "plain"},
		{"disk", "disk"},
		{"disk,plain,disk", "plain,disk"},
		{"all", "plain,ramfs,disk,disk-pivot"},
		{"disk,all", "plain,ramfs,disk,disk-pivot"},
		{"dsk", `unknown scenario "dsk": did you mean disk?`},
		{"disk-p", "did you mean disk-pivot?"},
		{"nowhere", `unknown scenario "nowhere"; known: all, plain, ramfs, disk, disk-pivot`},
		{"plain,", `unknown scenario ""; known`},
	} {
		var names []string
		if tt.names != "" {
			names = strings.Split(tt.names, ",")
		}
		out, err := Choose(all, names)
		var got []string
		for _, s := range out {
			got = append(got, s.Name)
		}
		text := strings.Join(got, ",")
		if u := (*UnknownScenarioError)(nil); errors.As(err, &u) {
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%q: %v, want %q", tt.names, err, tt.want)
			}
		} else if err != nil || text != tt.want {
			t.Errorf("%q: %s, %v, want %s", tt.names, text, err, tt.want)
		}
	}
}

// TestCompressed: what a kernel would unpack is what was packed, the same bytes every time.
func TestCompressed(t *testing.T) {
	dir := t.TempDir()
	content := bytes.Repeat([]byte("070701 and so on "), 100_000)
	path := dir + "/guest.cpio"
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	b := &Builder{Dir: dir}
	for c, open := range map[Compression]func(io.Reader) (io.Reader, error){
		Gzip: func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		Zstd: func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) },
	} {
		img, err := b.Compressed(t.Context(), path, c)
		if err != nil {
			t.Fatal(err)
		}
		again, err := (&Builder{Dir: t.TempDir()}).Compressed(t.Context(), path, c)
		if err != nil || again.SHA256 != img.SHA256 {
			t.Errorf("%s: another time it is %+v, %v, not %s", c, again, err, img.SHA256)
		}
		packed, err := os.ReadFile(img.Path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := open(bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, content) || len(packed) > len(content)/10 {
			t.Errorf("%s: %d bytes of %d come back as %d, %v", c, len(packed), len(content), len(got), err)
		}
	}
	if _, err := b.Compressed(t.Context(), path, ""); err == nil {
		t.Error("no error for no compression")
	}
	if _, err := b.Compressed(t.Context(), dir+"/gone", Gzip); err == nil {
		t.Error("no error for a file that is not there")
	}
}

func TestDisk(t *testing.T) {
	b := &Builder{Dir: t.TempDir()}
	for d, want := range map[Disk]int64{{"ext4"}: 1 << 20, {"squashfs"}: 1 << 20, {"erofs"}: 1 << 20} {
		img, err := b.Disk(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		if st, err := os.Stat(img.Path); err != nil || st.Size() != want {
			t.Errorf("%+v: %v, %v, want %d bytes", d, st, err, want)
		}
	}
	if _, err := b.Disk(t.Context(), Disk{Content: "ntfs"}); err == nil {
		t.Error("no error for a content that nothing makes")
	}
}
