package live

import (
	"slices"
	"sync"

	"github.com/magpie-im/magpie/internal/im"
)

// whereabouts are the live rooms that the devices of this node are inside of, so that a device that comes back with another
// connection is inside again: its client does not ask for it.
type whereabouts struct {
	mutex sync.Mutex
	rooms map[im.DeviceID][]int64
}

func (w *whereabouts) add(device im.DeviceID, room int64) {
	if device == 0 { // a robot has none
		return
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.rooms == nil {
		w.rooms = map[im.DeviceID][]int64{}
	}
	if !slices.Contains(w.rooms[device], room) {
		w.rooms[device] = append(w.rooms[device], room)
	}
}

func (w *whereabouts) remove(device im.DeviceID, room int64) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	left := slices.DeleteFunc(w.rooms[device], func(one int64) bool { return one == room })
	if len(left) == 0 {
		delete(w.rooms, device)
		return
	}
	w.rooms[device] = left
}

func (w *whereabouts) of(device im.DeviceID) []int64 {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return slices.Clone(w.rooms[device])
}
