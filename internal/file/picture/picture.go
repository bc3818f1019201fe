// Package picture makes smaller pictures within bounds of memory and time. It knows bytes and pixels, and nothing of files.
//
// It reads JPEG, PNG, GIF, WebP and BMP. A picture of another format, or one that would take too much memory, is refused before
// its pixels are looked at: what matters is how large it says it is, not how many bytes it has.
package picture

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif" // the formats that are read, here and below
	"image/jpeg"
	"image/png"
	"io"
	"time"

	_ "golang.org/x/image/bmp" // see above
	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // see above

	"github.com/magpie-im/magpie/internal/clock"
)

// Bounds of one picture that is made smaller.
const (
	memoryMost = 192 << 20        // bytes of its pixels while they are read
	readWithin = 10 * time.Second // until its last byte was read
	longMost   = 4096             // pixels of the longer side of what is made
)

// jpegQuality is where faces have no squares yet.
const jpegQuality = 82

// ErrUnfit is returned for a picture that is not made smaller: of a format that is not read, broken, too large, or of one
// that may move.
var ErrUnfit = errors.New("picture: not one that is made smaller")

// Size is how large a picture is as it is shown, in pixels; zero when that is not known.
func Size(from io.ReadSeeker) (width, height int) {
	config, format, err := image.DecodeConfig(from)
	if err != nil {
		return 0, 0
	}
	if turned, _ := about(from, format); turned.swaps() {
		return config.Height, config.Width
	}
	return config.Width, config.Height
}

// Scaled is how large a picture becomes whose shorter side is to be at most so long.
func Scaled(width, height, side int) (int, int) {
	short, long := min(width, height), max(width, height)
	if short <= side {
		return width, height
	}
	up := func(n int) int { return (n*side + short - 1) / short }
	if up(long) > longMost {
		up = func(n int) int { return max(1, n*longMost/long) }
	}
	return up(width), up(height)
}

// Shrink makes a picture of which the shorter side is at most so long, upright, and writes it as JPEG, or as PNG if it can be
// seen through. It says which: "jpeg" or "png".
func Shrink(to io.Writer, from io.ReadSeeker, side int) (format string, err error) {
	defer func() {
		if fault := recover(); fault != nil { // of a decoder, by a picture that was made for that
			err = fmt.Errorf("%w: %v", ErrUnfit, fault)
		}
	}()
	large, turned, err := decode(from)
	if err != nil {
		return "", err
	}
	bounds := large.Bounds()
	width, height := Scaled(bounds.Dx(), bounds.Dy(), side)
	small := image.NewNRGBA(image.Rect(0, 0, width, height))
	draw.BiLinear.Scale(small, small.Bounds(), large, bounds, draw.Src, nil)
	upright := turned.turn(small)
	if small.Opaque() {
		return "jpeg", jpeg.Encode(to, upright, &jpeg.Options{Quality: jpegQuality})
	}
	return "png", png.Encode(to, upright)
}

// decode reads the pixels of a picture that is within the bounds.
func decode(from io.ReadSeeker) (image.Image, orientation, error) {
	until := &untilReader{from: from, end: clock.System().Now().Add(readWithin)}
	config, format, err := image.DecodeConfig(until)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrUnfit, err)
	}
	turned, deep := about(from, format)
	if format == "gif" || config.Width <= 0 || config.Height <= 0 || int64(config.Width)*int64(config.Height)*pixelBytes(config.ColorModel, deep) > memoryMost {
		return nil, 0, fmt.Errorf("%w: %s of %d × %d", ErrUnfit, format, config.Width, config.Height)
	}
	if _, err := from.Seek(0, io.SeekStart); err != nil {
		return nil, 0, fmt.Errorf("read a picture: %w", err)
	}
	pixels, _, err := image.Decode(until)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrUnfit, err)
	}
	return pixels, turned, nil
}

// pixelBytes is what a pixel takes while it is read. A JPEG that comes in several passes keeps all its coefficients until the
// last one.
func pixelBytes(model color.Model, deep bool) int64 {
	const coefficients = 3 * 4
	switch model {
	case color.YCbCrModel:
		if deep {
			return 3 + coefficients
		}
		return 3
	case color.CMYKModel:
		if deep {
			return 4 + 4*4
		}
		return 4
	case color.GrayModel:
		if deep {
			return 1 + 4
		}
		return 1
	case color.NRGBA64Model, color.RGBA64Model:
		return 8
	default:
		return 4
	}
}

var errLate = errors.New("picture: it took too long")

// untilReader reads until a time.
type untilReader struct {
	from io.Reader
	end  time.Time
}

// Read reads on while there is time.
func (u *untilReader) Read(b []byte) (int, error) {
	if clock.System().Now().After(u.end) {
		return 0, errLate
	}
	return u.from.Read(b)
}
