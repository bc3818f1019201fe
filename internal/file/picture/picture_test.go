package picture_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"runtime"
	"testing"

	"github.com/magpie-im/magpie/internal/file/picture"
)

// canvas is a picture that is red in its upper left quarter.
func canvas(width, height int, rest color.Color) *image.NRGBA {
	p := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			if x < width/2 && y < height/2 {
				p.Set(x, y, color.NRGBA{R: 255, A: 255})
			} else {
				p.Set(x, y, rest)
			}
		}
	}
	return p
}

func asPNG(t testing.TB, p image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// asJPEG writes a JPEG with an orientation in its Exif; 0 leaves Exif out.
func asJPEG(t testing.TB, p image.Image, turned uint16) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, p, nil); err != nil {
		t.Fatal(err)
	}
	if turned == 0 {
		return b.Bytes()
	}
	tiff := []byte("Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00")
	binary.BigEndian.PutUint16(tiff[24:], turned)
	segment := append([]byte{0xff, 0xe1, 0, byte(len(tiff) + 2)}, tiff...)
	return append(append([]byte{0xff, 0xd8}, segment...), b.Bytes()[2:]...)
}

// Whichever way a camera was held, its picture is shown upright.
func TestOrientation(t *testing.T) {
	for turned, corner := range map[uint16]image.Point{ // where the red quarter is then
		0: {0, 0}, 1: {0, 0}, 2: {1, 0}, 3: {1, 1}, 4: {0, 1}, 5: {0, 0}, 6: {1, 0}, 7: {1, 1}, 8: {0, 1}, 9: {0, 0},
	} {
		raw := asJPEG(t, canvas(80, 40, color.White), turned)
		want := image.Pt(40, 20)
		if turned >= 5 && turned <= 8 {
			want = image.Pt(20, 40)
		}
		if w, h := picture.Size(bytes.NewReader(raw)); w != 2*want.X || h != 2*want.Y {
			t.Errorf("orientation %d: %d × %d, want twice %v", turned, w, h, want)
		}
		var b bytes.Buffer
		if format, err := picture.Shrink(&b, bytes.NewReader(raw), 20); err != nil || format != "jpeg" {
			t.Fatalf("orientation %d: %s, %v", turned, format, err)
		}
		small, err := jpeg.Decode(&b)
		if err != nil || small.Bounds().Size() != want {
			t.Fatalf("orientation %d: %v, %v, want %v", turned, small.Bounds(), err, want)
		}
		for x := range 2 {
			for y := range 2 {
				_, green, _, _ := small.At(want.X*(1+2*x)/4, want.Y*(1+2*y)/4).RGBA()
				if red := green < 0x8000; red != (corner == image.Pt(x, y)) {
					t.Errorf("orientation %d: quarter %d,%d is red: %v", turned, x, y, red)
				}
			}
		}
	}
}

func TestShrink(t *testing.T) {
	see := color.NRGBA{B: 255, A: 100}
	webp, _ := base64.StdEncoding.DecodeString("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
	for _, row := range []struct {
		name   string
		raw    []byte
		side   int
		format string
		size   image.Point
	}{
		{"wide", asPNG(t, canvas(1000, 500, color.White)), 100, "jpeg", image.Pt(200, 100)},
		{"tall", asPNG(t, canvas(500, 1000, color.White)), 100, "jpeg", image.Pt(100, 200)},
		{"seen through", asPNG(t, canvas(300, 300, see)), 100, "png", image.Pt(100, 100)},
		{"very long", asPNG(t, canvas(9000, 3, color.White)), 2, "jpeg", image.Pt(4096, 1)},
		{"small", asPNG(t, canvas(7, 5, color.White)), 100, "jpeg", image.Pt(7, 5)},
		{"WebP", webp, 100, "png", image.Pt(1, 1)},
	} {
		var b bytes.Buffer
		format, err := picture.Shrink(&b, bytes.NewReader(row.raw), row.side)
		config, _, decoded := image.DecodeConfig(&b)
		if err != nil || decoded != nil || format != row.format && row.name != "WebP" || image.Pt(config.Width, config.Height) != row.size {
			t.Errorf("%s: %s of %d × %d, %v, %v", row.name, format, config.Width, config.Height, err, decoded)
		}
	}
}

// bomb is a PNG that says that it is large.
func bomb(width, height uint32) []byte {
	header := append([]byte("IHDR"), 0, 0, 0, 0, 0, 0, 0, 0, 8, 6, 0, 0, 0)
	binary.BigEndian.PutUint32(header[4:], width)
	binary.BigEndian.PutUint32(header[8:], height)
	all := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), header...)
	return binary.BigEndian.AppendUint32(all, crc32.ChecksumIEEE(header))
}

// What would take too much, moves, or is no picture, costs nothing.
func TestUnfit(t *testing.T) {
	var moving bytes.Buffer
	frame := image.NewPaletted(image.Rect(0, 0, 300, 300), color.Palette{color.White, color.Black})
	if err := gif.EncodeAll(&moving, &gif.GIF{Image: []*image.Paletted{frame, frame}, Delay: []int{1, 1}}); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for name, raw := range map[string][]byte{
		"bomb": bomb(60_000, 60_000), "just too large": bomb(7100, 7100), "flat": bomb(1<<31-1, 1), "cut": asPNG(t, canvas(300, 300, color.White))[:200],
		"moving": moving.Bytes(), "text": []byte("no picture"), "empty": nil,
	} {
		var b bytes.Buffer
		if _, err := picture.Shrink(&b, bytes.NewReader(raw), 100); !errors.Is(err, picture.ErrUnfit) || b.Len() != 0 {
			t.Errorf("%s: %v, %d bytes", name, err, b.Len())
		}
	}
	runtime.ReadMemStats(&after)
	if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 16 {
		t.Errorf("it took %d MiB", took)
	}
}

// No picture makes a fault, and what is made of one is a picture.
func FuzzShrink(f *testing.F) {
	f.Add(asPNG(f, canvas(9, 5, color.White)))
	f.Add(asJPEG(f, canvas(9, 5, color.White), 6))
	f.Add(bomb(40, 40))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if config, _, err := image.DecodeConfig(bytes.NewReader(raw)); err == nil && config.Width*config.Height > 1<<20 {
			t.Skip("it takes long")
		}
		var b bytes.Buffer
		format, err := picture.Shrink(&b, bytes.NewReader(raw), 4)
		if err != nil {
			if !errors.Is(err, picture.ErrUnfit) {
				t.Errorf("%v", err)
			}
			return
		}
		if _, got, err := image.DecodeConfig(&b); err != nil || got != format {
			t.Errorf("%s is %s, %v", format, got, err)
		}
	})
}
