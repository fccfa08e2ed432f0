// SPDX-License-Identifier: MIT
#include "poller.h"

#include <sys/epoll.h>

#include <cerrno>

namespace afbus {

namespace {

uint32_t EpollEvents(uint32_t ready) {
  uint32_t events = 0;
  if (ready & kReadyIn) events |= EPOLLIN | EPOLLRDHUP;
  if (ready & kReadyOut) events |= EPOLLOUT;
  if (ready & kReadyEnd) events |= EPOLLRDHUP;
  return events;
}

}  // namespace

uint32_t Poller::ReadyOf(uint32_t events) {
  uint32_t ready = 0;
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) ready |= kReadyIn;
  if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) ready |= kReadyOut;
  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) ready |= kReadyEnd;
  return ready;
}

Result Poller::Create(uv_loop_t* loop, int fd, Listener* listener, List* list, Poller** poller) {
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (epoll.Get() < 0) return -errno;
  auto made = new Poller(fd, listener, list);
  int result = uv_poll_init(loop, &made->handle_, epoll.Get());
  if (result < 0) {
    delete made;
    return result;
  }
  made->handle_.data = made;
  made->epoll_ = std::move(epoll);
  made->next_ = list->first;
  if (list->first != nullptr) list->first->previous_ = made;
  list->first = made;
  list->open++;
  *poller = made;
  return 0;
}

void Poller::CloseAll(List* list) {
  while (list->first != nullptr) {
    Poller* poller = list->first;
    Listener* listener = poller->listener_;
    poller->Close();
    listener->OnPollerGone();
  }
}

Result Poller::Want(uint32_t events) {
  if (events == wanted_) return 0;
  uint32_t needed = EpollEvents(events);
  if (needed & ~watched_) {
    Result result = Watch(needed | watched_);
    if (result < 0) return result;
  }
  wanted_ = events;
  auto handle = reinterpret_cast<uv_handle_t*>(&handle_);
  if (events & (kReadyIn | kReadyOut)) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
  // Polling stops only when an event comes that nobody wants: most waits are followed by another one.
  if (events == 0 || started_) return 0;
  Result result = uv_poll_start(&handle_, UV_READABLE, OnReadable);
  started_ = result >= 0;
  return result;
}

// When the set changes the kernel checks the events again: what is true already arrives as an edge.
Result Poller::Watch(uint32_t epoll_events) {
  epoll_event event = {};
  event.events = epoll_events | EPOLLET;
  int operation = watched_ == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  if (epoll_ctl(epoll_.Get(), operation, fd_, &event) < 0) return -errno;
  watched_ = epoll_events;
  return 0;
}

void Poller::OnReadable(uv_poll_t* handle, int, int) {
  static_cast<Poller*>(handle->data)->Dispatch();
}

void Poller::Dispatch() {
  if (wanted_ == 0) {
    // The edge stays in the set for the next wait.
    uv_poll_stop(&handle_);
    started_ = false;
    return;
  }
  epoll_event event = {};
  if (epoll_wait(epoll_.Get(), &event, 1, 0) <= 0) return;
  uint32_t needed = EpollEvents(wanted_);
  if (event.events & watched_ & ~needed) Watch(needed);
  uint32_t ready = ReadyOf(event.events) & wanted_;
  if (ready != 0) listener_->OnReady(ready);
}

void Poller::Close() {
  if (previous_ != nullptr) previous_->next_ = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
  if (list_->first == this) list_->first = next_;
  listener_ = nullptr;
  uv_poll_stop(&handle_);
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_), OnClosed);
  // At once, not with the handle: the set would keep the socket open after its owner has closed it.
  epoll_.Reset();
}

void Poller::OnClosed(uv_handle_t* handle) {
  auto poller = static_cast<Poller*>(handle->data);
  List* list = poller->list_;
  delete poller;
  if (--list->open == 0 && list->on_empty != nullptr) list->on_empty(list->data);
}

}  // namespace afbus
