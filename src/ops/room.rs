//! Room in memory for states that are worked on at once.

use std::sync::{Condvar, Mutex, PoisonError};

/// How many bytes of states may be in memory at once; one that is larger goes alone.
const ROOM: u64 = 256 << 20;

/// The memory that states which are worked on share.
#[derive(Debug, Default)]
pub(super) struct Room {
    taken: Mutex<u64>,
    freed: Condvar,
}

/// A part of it, which is free again when this is dropped.
pub(super) struct Taken<'a>(&'a Room, u64);

impl Room {
    /// Waits until there is room for so many bytes.
    pub(super) fn take(&self, bytes: u64) -> Taken<'_> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while *taken > 0 && taken.saturating_add(bytes) > ROOM {
            taken = self.freed.wait(taken).unwrap_or_else(PoisonError::into_inner);
        }
        *taken += bytes;
        Taken(self, bytes)
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *self.0.taken.lock().unwrap_or_else(PoisonError::into_inner) -= self.1;
        self.0.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_to_share_the_room_goes_alone() {
        let room = Room::default();
        let large = room.take(ROOM * 2);
        assert_eq!(*room.taken.lock().unwrap(), ROOM * 2);
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| drop(room.take(1)));
            drop(large);
            waits.join().unwrap();
        });
        assert_eq!(*room.taken.lock().unwrap(), 0);
    }
}
