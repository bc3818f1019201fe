package file

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
)

// kind is what a file is uploaded as, by the interface's number (docs/protocol/wire.md#media-commands).
type kind byte

const (
	kindImage kind = 1
	kindVideo kind = 2
	kindSound kind = 3
	kindOther kind = 255
)

func (k kind) known() bool {
	return k == kindImage || k == kindVideo || k == kindSound || k == kindOther
}

// most is how many bytes a file of the kind may have.
func (k kind) most(of *im.App) int64 { return int64(k.limit().Of(of)) << 20 }

func (k kind) limit() *setting.Setting[int] {
	switch k {
	case kindImage:
		return imageMost
	case kindVideo:
		return videoMost
	case kindSound:
		return soundMost
	default:
		return otherMost
	}
}

const (
	unknownType = "application/octet-stream"
	heic        = "image/heic"
	avif        = "image/avif"
)

// headBytes is how much of a file its type is found by.
const headBytes = 512

// typeOf finds the type by a file's first bytes. What a browser would run, or take for a page, is unknownType.
func typeOf(head []byte) string {
	if brand := brandOf(head); brand != "" {
		return brand
	}
	if bytes.HasPrefix(head, []byte("#!AMR")) {
		return "audio/amr"
	}
	found, _, _ := strings.Cut(http.DetectContentType(head), ";")
	switch found {
	case "text/html", "text/xml", "application/wasm":
		return unknownType
	case "application/ogg":
		return "audio/ogg"
	default:
		return found
	}
}

// brandOf finds the formats that begin with a box named ftyp, of which the brand tells pictures and sound from films.
func brandOf(head []byte) string {
	const boxed = 12
	if len(head) < boxed || string(head[4:8]) != "ftyp" {
		return ""
	}
	switch string(head[8:12]) {
	case "heic", "heix", "hevc", "hevx", "heim", "heis", "mif1", "msf1":
		return heic
	case "avif", "avis":
		return avif
	case "M4A ", "M4B ":
		return "audio/mp4"
	case "qt  ":
		return "video/quicktime"
	default:
		return "video/mp4"
	}
}

// suits reports whether a file of the type may be uploaded as the kind. Sound and films come in formats that nothing at
// their beginning tells, so an unknown type may be one; a picture has a known type.
func (k kind) suits(found string) bool {
	family, _, _ := strings.Cut(found, "/")
	switch k {
	case kindImage:
		return family == "image"
	case kindVideo:
		return family == "video" || found == unknownType
	case kindSound:
		// Recorders of browsers write sound into files of films.
		return family == "audio" || family == "video" || found == unknownType
	default:
		return true
	}
}

// inline reports whether a browser may show a file of the type by itself; others it saves.
func inline(found string) bool {
	family, _, _ := strings.Cut(found, "/")
	return family == "image" || family == "audio" || family == "video"
}
