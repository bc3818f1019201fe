package file

import (
	"context"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

type banRequest struct {
	URL string `json:"RawURL"`
}

func (f *Files) banCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "forbid_illegal_object", By: command.Administrator, Family: im.FamilyAccount(),
		Doc: "ban a file: nobody who has its address gets it", Section: "rest.md#forbid_illegal_object",
	}, func(ctx context.Context, call *command.Call, r *banRequest) (*command.None, error) {
		return nil, f.setBanned(ctx, call, r.URL, true)
	})
}

func (f *Files) unbanCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "allow_banned_object", By: command.Administrator, Family: im.FamilyAccount(),
		Doc: "lift the ban of a file", Section: "rest.md#allow_banned_object",
	}, func(ctx context.Context, call *command.Call, r *banRequest) (*command.None, error) {
		return nil, f.setBanned(ctx, call, r.URL, false)
	})
}

// setBanned bans a file with its smaller pictures, by the address of any of them, or lifts that.
func (f *Files) setBanned(ctx context.Context, call *command.Call, text string, banned bool) error {
	_, _, what, err := f.own(call.App, text)
	if err != nil {
		return err
	}
	changed := int64(0)
	err = f.db.Write(ctx, func(tx *db.Tx) error {
		var err error
		changed, err = tx.Exec(`UPDATE file SET banned = $1 WHERE id = $2 AND app_id = $3`, banned, what.id, int64(call.App.ID))
		return err
	})
	if err != nil {
		return fmt.Errorf("ban a file: %w", err)
	}
	if changed == 0 {
		return im.Errorf(im.CodeAccountParameter, "there is no such file: it was not uploaded, or it is not kept any more")
	}
	return nil
}

const (
	// inspectMost bounds the files of one call.
	inspectMost = 100
	// inspectWithin is how long the addresses are good that a back end asks for.
	inspectWithin = 15 * time.Minute
)

// What a file is, by the interface's number.
const (
	statusKept   = 0
	statusBanned = 1
	statusNone   = 2
)

type inspectRequest struct {
	URLs []struct {
		ID  int64  `json:"ResourceID"`
		URL string `json:"RawURL"`
	} `json:"RawURLs"`
}

type inspectReply struct {
	URLs []inspected `json:"PreSigURLs"`
}

type inspected struct {
	Code   im.Code `json:"Code"`
	Text   string  `json:"Desc"`
	ID     int64   `json:"ResourceID"`
	URL    string  `json:"PreSigURL"`
	Status int     `json:"Status"`
}

func (f *Files) inspectCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "get_cos_sig", By: command.Administrator, Family: im.FamilyAccount(),
		Doc: "give addresses of files that are good for a short time, of banned files too", Section: "rest.md#get_cos_sig",
	}, f.inspect)
}

func (f *Files) inspect(ctx context.Context, call *command.Call, r *inspectRequest) (*inspectReply, error) {
	if len(r.URLs) == 0 || len(r.URLs) > inspectMost {
		return nil, im.Errorf(im.CodeAccountParameter, "RawURLs has %d members: want 1 to %d", len(r.URLs), inspectMost)
	}
	reply := &inspectReply{URLs: make([]inspected, len(r.URLs))}
	ids := make([]int64, len(r.URLs))
	for i, one := range r.URLs {
		to := &reply.URLs[i]
		to.ID, to.Status = one.ID, statusNone
		origin, at, what, err := f.own(call.App, one.URL)
		if refused, ok := im.Refusal(err); ok {
			to.Code, to.Text = refused.Code, refused.Info
			continue
		}
		if f.origin != "" {
			origin = f.origin
		}
		sign := address{use: useInspect, id: what.id, expires: f.clock.Now().Add(inspectWithin).Unix()}
		to.URL = origin + location{at.app, f.signer.sign(at.app, sign), at.name}.path()
		ids[i] = what.id
	}
	banned, err := f.banned(ctx, call.App.ID, ids)
	if err != nil {
		return nil, err
	}
	for i := range reply.URLs {
		reply.URLs[i].settle(banned, ids[i])
	}
	return reply, nil
}

// settle says what became of the file of that number; 0 is none.
func (o *inspected) settle(banned map[int64]bool, id int64) {
	is, there := banned[id]
	switch {
	case !there:
		o.URL = ""
	case is:
		o.Status = statusBanned
	default:
		o.Status = statusKept
	}
}

// banned says of those files that are there whether they are banned.
func (f *Files) banned(ctx context.Context, of im.AppID, ids []int64) (map[int64]bool, error) {
	found := map[int64]bool{}
	err := db.Each(ctx, f.db, func(scan db.Scanner) error {
		var (
			id int64
			is bool
		)
		err := scan(&id, &is)
		found[id] = is
		return err
	}, `SELECT id, banned FROM file WHERE app_id = $1 AND id IN ($2...)`, int64(of), db.Ints(ids))
	if err != nil {
		return nil, fmt.Errorf("look files up: %w", err)
	}
	return found, nil
}
