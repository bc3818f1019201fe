package file

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"strconv"
	"sync"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
)

// Clients do not send a film without a picture of it, which they ask for once the film is uploaded. This server does not
// read films, so all have the same: a plain dark one, over which kits draw the sign to play it.

const (
	coverWidth  = 320
	coverHeight = 180
	coverName   = "cover.png"
)

// cover is that picture in the format PNG.
var cover = sync.OnceValue(func() []byte {
	dark := color.Gray{Y: 0x30}
	canvas := image.NewPaletted(image.Rect(0, 0, coverWidth, coverHeight), color.Palette{dark})
	var b bytes.Buffer
	_ = png.Encode(&b, canvas) // memory takes all
	return b.Bytes()
})

func giveCover(w http.ResponseWriter) error {
	h := w.Header()
	h.Set("Content-Type", "image/png")
	h.Set("Content-Length", strconv.Itoa(len(cover())))
	h.Set("Cache-Control", reread)
	_, _ = w.Write(cover()) // an error is the other side's, which has gone
	return nil
}

type coverRequest struct {
	URL string `json:"snapshot_url"`
}

type coverReply struct {
	Code     int    `json:"error_code"`
	Message  string `json:"error_msg"`
	Download string `json:"download_url"`
}

func (f *Files) coverCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "video_cover", By: command.Account, Family: im.FamilyAccount(), ClientRate: ticketRate,
		Doc: "give the address of a picture for an uploaded film", Section: "wire.md#media-commands",
	}, func(_ context.Context, call *command.Call, r *coverRequest) (*coverReply, error) {
		origin, at, what, err := f.own(call.App, r.URL)
		if err != nil {
			return nil, err
		}
		to := location{at.app, f.signer.sign(at.app, address{use: useThumb, id: what.id}), coverName}
		return &coverReply{Download: origin + to.path()}, nil
	})
}
