// SPDX-License-Identifier: MIT
// Reports the edges of sockets on the event loop of their environment.
//
// A socket stays writable (level) while another member's queue is full, and only an edge shows that there is space
// again. So the sockets of an environment are in an epoll set, edge-triggered, and libuv polls that set: the set is
// readable while it has an edge that was not taken.
#pragma once

#include <sys/epoll.h>
#include <uv.h>

#include <cerrno>
#include <cstdint>

#include "syscall.h"
#include "unique_fd.h"

namespace afbus {

enum Ready : uint32_t { kReadyIn = 1, kReadyOut = 2, kReadyEnd = 4 };

class PollSet;

class Poller {
 public:
  class Listener {
   public:
    // Called with wanted events. They were true when they came, and may not be any more.
    virtual void OnReady(uint32_t events) = 0;

   protected:
    ~Listener() = default;
  };

  explicit Poller(Listener* listener) : listener_(listener) {}
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  ~Poller() { Close(); }

  static uint32_t ReadyOf(uint32_t epoll_events);

  // Events of `fd` to report; an event that is already true is reported as well. Keeps the loop alive, except for
  // kReadyEnd alone. A negative errno if the kernel refuses.
  Result Want(PollSet* set, int fd, uint32_t events);
  // Ends all calls to the listener. To be called before `fd` is closed.
  void Close();

 private:
  friend class PollSet;

  Result Watch(uint32_t epoll_events);
  void Take(uint32_t epoll_events);

  Listener* listener_;
  // Null unless the set has the socket.
  PollSet* set_ = nullptr;
  int fd_ = -1;
  Poller* next_ = nullptr;
  Poller* previous_ = nullptr;
  uint32_t wanted_ = 0;
  // What the epoll set watches: at least what is wanted, but less after an unwanted edge.
  uint32_t watched_ = 0;
};

// The sockets of an environment that somebody waits for.
class PollSet {
 public:
  PollSet() = default;
  PollSet(const PollSet&) = delete;
  PollSet& operator=(const PollSet&) = delete;

  // If the kernel or libuv refuses, the first wait fails with its error.
  void Open(uv_loop_t* loop);
  // Ends all pollers, which may outlive the set; calls `on_closed` when libuv does not need the set any more.
  void Close(void (*on_closed)(void*), void* data);

 private:
  friend class Poller;

  Result Add(Poller* poller);
  void Remove(Poller* poller);
  // Counts the pollers that keep the loop alive.
  void Hold(bool before, bool now);

  static void OnReadable(uv_poll_t* handle, int status, int events);
  void Dispatch();

  uv_poll_t handle_;
  bool has_handle_ = false;
  UniqueFd epoll_;
  // Why nobody can wait, if negative.
  Result state_ = -EBADF;
  int held_ = 0;
  Poller* first_ = nullptr;
  int size_ = 0;
  // Edges that were taken from the kernel and are being reported.
  static constexpr int kBatch = 64;
  epoll_event batch_[kBatch];
  int count_ = 0;
  void (*on_closed_)(void*) = nullptr;
  void* data_ = nullptr;
};

}  // namespace afbus
