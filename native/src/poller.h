// SPDX-License-Identifier: MIT
// Reports the edges of one socket on the event loop of its environment.
//
// A socket stays writable (level) while another member's queue is full, and only an edge shows that there is room
// again. So each socket is in an epoll set of its own, edge-triggered, and libuv polls that set: the set is readable
// after an edge, and not again before the next one.
#pragma once

#include <uv.h>

#include <cstdint>

#include "syscall.h"
#include "unique_fd.h"

namespace afbus {

enum Ready : uint32_t { kReadyIn = 1, kReadyOut = 2, kReadyEnd = 4 };

// Lives on the heap: a libuv handle outlives its owner until its close callback, which deletes the poller.
class Poller {
 public:
  class Listener {
   public:
    // Called with wanted events. They were true when they came, and may not be any more.
    virtual void OnReady(uint32_t events) = 0;
    // The poller goes away because its environment ends.
    virtual void OnPollerGone() = 0;

   protected:
    ~Listener() = default;
  };

  // The pollers of an environment, so that its end can close them all.
  struct List {
    Poller* first = nullptr;
    // Number of handles whose close callback has not run.
    int open = 0;
    // Called when the last handle of a closing list is closed.
    void (*on_empty)(void*) = nullptr;
    void* data = nullptr;
  };

  // A negative errno and no poller if the kernel or libuv refuses.
  static Result Create(uv_loop_t* loop, int fd, Listener* listener, List* list, Poller** poller);
  static void CloseAll(List* list);
  static uint32_t ReadyOf(uint32_t epoll_events);

  // Events to report; an event that is already true is reported as well. Keeps the loop alive, except for kReadyEnd
  // alone.
  Result Want(uint32_t events);
  // Ends all calls to the listener. The poller deletes itself later.
  void Close();

 private:
  Poller(int fd, Listener* listener, List* list) : fd_(fd), listener_(listener), list_(list) {}
  ~Poller() = default;

  static void OnReadable(uv_poll_t* handle, int status, int events);
  static void OnClosed(uv_handle_t* handle);
  Result Watch(uint32_t epoll_events);
  void Dispatch();

  uv_poll_t handle_;
  UniqueFd epoll_;
  int fd_;
  Listener* listener_;
  List* list_;
  Poller* next_ = nullptr;
  Poller* previous_ = nullptr;
  uint32_t wanted_ = 0;
  // What the epoll set watches: at least what is wanted, but less after an unwanted edge.
  uint32_t watched_ = 0;
  bool started_ = false;
};

}  // namespace afbus
