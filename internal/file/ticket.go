package file

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// uploadWithin is how long an upload may begin after it was asked for.
const uploadWithin = 15 * time.Minute

// ticketRate bounds the uploads that one account asks for in a second. It writes nothing, but what follows does.
const ticketRate = 50

// ticket is the addresses of a file that is to be uploaded.
type ticket struct {
	upload, download string
	large, thumb     string // of an image
	cover            string // of a video
	expires          int64  // of upload, a unix second
}

// issue makes the addresses of a file. Nothing is written: the file is there when it has been uploaded.
func (f *Files) issue(ctx context.Context, call *command.Call, of kind, name string) (ticket, error) {
	origin := f.origin
	if origin == "" {
		origin = call.Origin
	}
	switch {
	case f.store == nil:
		return ticket{}, im.Errorf(im.CodeAccountParameter, "this node takes no files: nodes that are joined by a bus need --files with a store that all of them reach")
	case origin == "":
		return ticket{}, im.Errorf(im.CodeAccountParameter, "the address of this service is not known: set --files-url")
	case !of.known():
		return ticket{}, im.Errorf(im.CodeAccountParameter, "the type of a file is 1 (image), 2 (video), 3 (sound) or 255 (file)")
	}
	if err := f.hasRoom(ctx, call); err != nil {
		return ticket{}, err
	}
	id, name := newID(), plainName(name)
	sign := func(a address) string {
		a.id = id
		return origin + location{call.App.ID, f.signer.sign(call.App.ID, a), name}.path()
	}
	t := ticket{expires: f.clock.Now().Add(uploadWithin).Unix()}
	t.upload = sign(address{use: useUpload, kind: of, account: call.Account, expires: t.expires})
	t.download = sign(address{use: useOriginal})
	switch of {
	case kindImage:
		t.large, t.thumb = sign(address{use: useLarge}), sign(address{use: useThumb})
	case kindVideo:
		t.cover = sign(address{use: useThumb})
	default:
	}
	return t, nil
}

// hasRoom refuses an account that has used up what it, or its application, may have. Whether a file fits is looked at again when
// it has come.
func (f *Files) hasRoom(ctx context.Context, call *command.Call) error {
	for _, one := range []struct {
		account im.AccountID
		most    int64
	}{{0, int64(appMost.Of(call.App)) << 20}, {call.Account, int64(accountMost.Of(call.App)) << 20}} {
		sum, err := db.One(ctx, f.db, db.Number, selectSum, int64(call.App.ID), int64(one.account))
		if err != nil && !errors.Is(err, db.ErrNotFound) {
			return fmt.Errorf("read the sum of files: %w", err)
		}
		if one.most != 0 && sum >= one.most {
			return errFull(one.account != 0)
		}
	}
	return nil
}

// errFull refuses a file for which there is no room.
func errFull(account bool) error {
	if account {
		return im.Errorf(im.CodeAccountParameter, "the account's files have as many bytes as they may have (file.account_mib)")
	}
	return im.Errorf(im.CodeAccountParameter, "the application's files have as many bytes as they may have (file.app_mib)")
}

type ticketRequest struct {
	Kind int64  `json:"file_type"`
	Name string `json:"file_name"`
}

type ticketReply struct {
	Upload   string `json:"upload_url"`
	Download string `json:"download_url"`
	Large    string `json:"large_url,omitempty"`
	Thumb    string `json:"thumb_url,omitempty"`
	Cover    string `json:"snapshot_url,omitempty"`
	Request  string `json:"request_id"`
	Expires  int64  `json:"expired_time"`
}

func (f *Files) ticketCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "pre_sig", By: command.Account, Family: im.FamilyAccount(), ClientRate: ticketRate,
		Doc: "give a client the addresses to upload a file to and to download it from", Section: "wire.md#media-commands",
	}, func(ctx context.Context, call *command.Call, r *ticketRequest) (*ticketReply, error) {
		t, err := f.issue(ctx, call, kindOf(r.Kind), r.Name)
		if err != nil {
			return nil, err
		}
		return &ticketReply{
			Upload: t.upload, Download: t.download, Large: t.large, Thumb: t.thumb, Cover: t.cover, Expires: t.expires, Request: plainName(r.Name),
		}, nil
	})
}

// kindOf is the kind of that number; 0, which is none, for others.
func kindOf(number int64) kind {
	if number < 0 || number > int64(kindOther) {
		return 0
	}
	return kind(number)
}

// ticketsMost bounds the files of one call.
const ticketsMost = 20

type ticketsRequest struct {
	Files []struct {
		ID   int64  `json:"uint32_file_id"`
		Kind int64  `json:"uint32_file_type"`
		Name string `json:"str_file_name"`
	} `json:"rpt_upload_object"`
}

// ticketsReply: a client that has a str_final_ip would upload to that address in place of ours, so it is empty.
type ticketsReply struct {
	Tickets []manyTicket `json:"rpt_pre_sig"`
	FinalIP string       `json:"str_final_ip"`
}

type manyTicket struct {
	ID       int64  `json:"uint32_file_id"`
	Exists   int    `json:"uint32_exist_flag"`
	Upload   string `json:"str_upload_url"`
	Download string `json:"str_download_url"`
	Cover    string `json:"str_snapshot_url,omitempty"`
	Key      string `json:"str_file_key"`
}

func (f *Files) ticketsCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "simple_sig", By: command.Account, Family: im.FamilyAccount(), ClientRate: ticketRate,
		Doc: "the same for a client that uploads through a proxy of its own", Section: "wire.md#media-commands",
	}, f.tickets)
}

func (f *Files) tickets(ctx context.Context, call *command.Call, r *ticketsRequest) (*ticketsReply, error) {
	if len(r.Files) == 0 || len(r.Files) > ticketsMost {
		return nil, im.Errorf(im.CodeAccountParameter, "rpt_upload_object has %d files: want 1 to %d", len(r.Files), ticketsMost)
	}
	reply := &ticketsReply{}
	for _, one := range r.Files {
		t, err := f.issue(ctx, call, kindOf(one.Kind), one.Name)
		if err != nil {
			return nil, err
		}
		reply.Tickets = append(reply.Tickets, manyTicket{ID: one.ID, Upload: t.upload, Download: t.download, Cover: t.cover, Key: plainName(one.Name)})
	}
	return reply, nil
}
