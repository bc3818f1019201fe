package file

import (
	"image"
	_ "image/gif"  // the formats that are read
	_ "image/jpeg" // the same
	_ "image/png"  // the same
	"os"
)

// A picture's smaller sizes, by its shorter side in pixels.
const (
	largeSide = 720
	thumbSide = 198
)

// scaled is how large a picture is whose shorter side is to be at most so long; 0 leaves it as it is.
func scaled(width, height, side int) (int, int) {
	short := min(width, height)
	if side == 0 || short <= side {
		return width, height
	}
	up := func(n int) int { return (n*side + short - 1) / short }
	return up(width), up(height)
}

// measure finds out how large a picture is. Of a format that is not known here that stays 0.
func (a *arrived) measure() {
	if a.kind != kindImage {
		return
	}
	file, err := os.Open(a.path) //nolint:gosec // a name of our own making
	if err != nil {
		return
	}
	defer file.Close()
	if config, _, err := image.DecodeConfig(file); err == nil {
		a.width, a.height = config.Width, config.Height
	}
}
