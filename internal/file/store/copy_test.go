package store

import (
	"os"
	"path/filepath"
	"testing"
)

// All objects are copied, and nothing else; a second copy into the same folder changes nothing.
func TestCopy(t *testing.T) {
	t.Parallel()
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	disk, err := OpenDisk(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"00a", "00b", "ff0-x"} {
		path := filepath.Join(disk.Incoming(), name)
		if err := os.WriteFile(path, []byte("bytes of "+name), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := disk.Keep(t.Context(), name, path); err != nil {
			t.Fatal(err)
		}
	}
	for _, other := range []string{"incoming/half", "00/half.part", "note"} {
		if err := os.WriteFile(filepath.Join(from, other), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if n, err := Copy(t.Context(), from, to); n != 3 || err != nil {
			t.Fatalf("%d objects are copied: %v", n, err)
		}
	}
	there, err := OpenDisk(to)
	if err != nil {
		t.Fatal(err)
	}
	if names, err := there.List(t.Context(), "", 10); len(names) != 3 || err != nil {
		t.Errorf("%q are there: %v", names, err)
	}
	if text, err := os.ReadFile(filepath.Join(to, "ff", "ff0-x")); string(text) != "bytes of ff0-x" {
		t.Errorf("an object holds %q: %v", text, err)
	}
	if half, _ := filepath.Glob(filepath.Join(to, "*", "half*")); len(half) > 0 {
		t.Errorf("%q are copied", half)
	}
	if n, err := Copy(t.Context(), filepath.Join(from, "nowhere"), to); n != 0 || err != nil {
		t.Errorf("a folder that is not there: %d, %v", n, err)
	}
}
