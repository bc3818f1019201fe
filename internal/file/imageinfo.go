package file

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/file/picture"
	"github.com/magpie-im/magpie/internal/im"
)

type imageInfoRequest struct {
	URL string `json:"str_image_url"`
}

type imageInfoReply struct {
	Images []imageInfo `json:"rpt_msg_image_info"`
}

// imageInfo is one of the three sizes of a picture.
type imageInfo struct {
	Size   int    `json:"uint32_image_type"`
	URL    string `json:"str_url"`
	Width  int    `json:"uint32_width"`
	Height int    `json:"uint32_height"`
	Format string `json:"str_image_format"`
}

// The sizes by this command's numbers, which are not those of a message.
const (
	infoThumb    = 1
	infoLarge    = 2
	infoOriginal = 3
)

func (f *Files) imageInfoCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "get_imageinfo", By: command.Account, Family: im.FamilyAccount(), ClientRate: ticketRate,
		Doc: "give the addresses and measures of an uploaded picture's three sizes", Section: "wire.md#media-commands",
	}, f.imageInfo)
}

func (f *Files) imageInfo(ctx context.Context, call *command.Call, r *imageInfoRequest) (*imageInfoReply, error) {
	origin, at, what, err := f.own(call.App, r.URL)
	if err != nil {
		return nil, err
	}
	k, err := f.find(ctx, call.App.ID, what.id)
	if errors.Is(err, db.ErrNotFound) {
		return nil, im.Errorf(im.CodeAccountParameter, "there is no such file: it was not uploaded, or it is not kept any more")
	}
	if err != nil {
		return nil, fmt.Errorf("find a picture: %w", err)
	}
	info := func(number int, of use, side int) imageInfo {
		width, height := k.width, k.height
		if side != 0 && k.shrinks(of) {
			width, height = picture.Scaled(width, height, side)
		}
		to := location{at.app, f.signer.sign(at.app, address{use: of, id: what.id}), at.name}
		return imageInfo{number, origin + to.path(), width, height, path.Base(k.found)}
	}
	return &imageInfoReply{Images: []imageInfo{
		info(infoThumb, useThumb, thumbSide), info(infoLarge, useLarge, largeSide), info(infoOriginal, useOriginal, 0),
	}}, nil
}

// own reads an address that names a file of the caller's application, with whatever stands behind it.
func (f *Files) own(app *im.App, text string) (origin string, at location, what address, err error) {
	origin, at, err = locateURL(strings.TrimSpace(text))
	if err == nil && at.app != app.ID {
		err = errForged
	}
	if err == nil {
		what, err = f.signer.read(at.app, at.token, f.clock.Now())
	}
	if err != nil && !errors.Is(err, errExpired) || what.use == useUpload {
		return "", location{}, address{}, im.Errorf(im.CodeAccountParameter, "the URL is not that of a file of this application")
	}
	return origin, at, what, nil
}
