package picture

import (
	"bufio"
	"encoding/binary"
	"image"
	"io"
)

// orientation is how a camera was held, by Exif's number: 1 is upright, and so is 0, which says nothing.
type orientation int

// swaps reports whether the picture is shown with its sides the other way round.
func (o orientation) swaps() bool { return o >= 5 && o <= 8 }

// turn gives the picture as it is to be shown.
func (o orientation) turn(p *image.NRGBA) *image.NRGBA {
	if o < 2 || o > 8 {
		return p
	}
	w, h := p.Rect.Dx(), p.Rect.Dy()
	to := image.NewNRGBA(image.Rect(0, 0, w, h))
	if o.swaps() {
		to = image.NewNRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			at := o.spot(x, y, w, h)
			copy(to.Pix[to.PixOffset(at.X, at.Y):][:4], p.Pix[p.PixOffset(x, y):][:4])
		}
	}
	return to
}

// spot is where a pixel of the camera's picture stands in the one that is shown.
func (o orientation) spot(x, y, w, h int) image.Point {
	switch o {
	case 2:
		return image.Pt(w-1-x, y)
	case 3:
		return image.Pt(w-1-x, h-1-y)
	case 4:
		return image.Pt(x, h-1-y)
	case 5:
		return image.Pt(y, x)
	case 6:
		return image.Pt(h-1-y, x)
	case 7:
		return image.Pt(h-1-y, w-1-x)
	default:
		return image.Pt(y, w-1-x)
	}
}

// Markers of a JPEG's segments.
const (
	markerStart       = 0xd8
	markerExif        = 0xe1
	markerProgressive = 0xc2
	markerScan        = 0xda
)

// segmentsMost bounds the segments that are looked at before the pixels.
const segmentsMost = 64

// about reads what the head of a JPEG says: how the camera was held, and whether the picture comes in several passes. Of other
// formats it says nothing.
func about(from io.ReadSeeker, format string) (turned orientation, deep bool) {
	if format != "jpeg" {
		return 0, false
	}
	if _, err := from.Seek(0, io.SeekStart); err != nil {
		return 0, false
	}
	in := bufio.NewReader(from)
	head := make([]byte, 2)
	if _, err := io.ReadFull(in, head); err != nil || head[0] != 0xff || head[1] != markerStart {
		return 0, false
	}
	for range segmentsMost {
		marker, body, err := segment(in)
		switch {
		case err != nil || marker == markerScan:
			return turned, deep
		case marker == markerExif && turned == 0:
			turned = exif(body)
		case marker == markerProgressive:
			deep = true
		}
	}
	return turned, deep
}

// segment reads one segment.
func segment(in *bufio.Reader) (marker byte, body []byte, err error) {
	for marker == 0 || marker == 0xff {
		if marker, err = in.ReadByte(); err != nil {
			return 0, nil, err
		}
	}
	var length [2]byte
	if _, err := io.ReadFull(in, length[:]); err != nil {
		return 0, nil, err
	}
	body = make([]byte, max(0, int(binary.BigEndian.Uint16(length[:]))-len(length)))
	_, err = io.ReadFull(in, body)
	return marker, body, err
}

// exif finds the orientation in a segment of Exif, which is a head and a TIFF: byte order, and a table of tags.
func exif(body []byte) orientation {
	const (
		name      = "Exif\x00\x00"
		tagBytes  = 12
		tag       = 0x0112
		tagsMost  = 256
		firstTags = 8
	)
	if len(body) < len(name)+firstTags || string(body[:len(name)]) != name {
		return 0
	}
	tiff := body[len(name):]
	var order binary.ByteOrder = binary.LittleEndian
	if tiff[0] == 'M' {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 0
	}
	count := min(int(order.Uint16(tiff[at:])), tagsMost)
	for at += 2; count > 0 && at+tagBytes <= int64(len(tiff)); count-- {
		if order.Uint16(tiff[at:]) == tag {
			return orientation(order.Uint16(tiff[at+8:]))
		}
		at += tagBytes
	}
	return 0
}
