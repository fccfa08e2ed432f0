// SPDX-License-Identifier: MIT
#include "poller.h"

namespace afbus {

namespace {

uint32_t EpollEvents(uint32_t ready) {
  uint32_t events = 0;
  if (ready & kReadyIn) events |= EPOLLIN | EPOLLRDHUP;
  if (ready & kReadyOut) events |= EPOLLOUT;
  if (ready & kReadyEnd) events |= EPOLLRDHUP;
  return events;
}

bool KeepsAlive(uint32_t ready) { return (ready & (kReadyIn | kReadyOut)) != 0; }

}  // namespace

uint32_t Poller::ReadyOf(uint32_t events) {
  uint32_t ready = 0;
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) ready |= kReadyIn;
  if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) ready |= kReadyOut;
  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) ready |= kReadyEnd;
  return ready;
}

Result Poller::Want(PollSet* set, int fd, uint32_t events) {
  if (events == wanted_) return 0;
  uint32_t needed = EpollEvents(events);
  if (set_ == nullptr) {
    fd_ = fd;
    watched_ = needed;
    Result result = set->Add(this);
    if (result < 0) return result;
  } else if (needed & ~watched_) {
    Result result = Watch(needed | watched_);
    if (result < 0) return result;
  }
  set_->Hold(KeepsAlive(wanted_), KeepsAlive(events));
  wanted_ = events;
  return 0;
}

void Poller::Close() {
  if (set_ != nullptr) set_->Remove(this);
}

// When the set changes the kernel checks the events again: what is true already arrives as an edge.
Result Poller::Watch(uint32_t epoll_events) {
  epoll_event event = {};
  event.events = epoll_events | EPOLLET;
  event.data.ptr = this;
  if (epoll_ctl(set_->epoll_.Get(), EPOLL_CTL_MOD, fd_, &event) < 0) return -errno;
  watched_ = epoll_events;
  return 0;
}

// An edge that nobody wants may be forgotten: who waits later has tried before.
void Poller::Take(uint32_t epoll_events) {
  uint32_t needed = EpollEvents(wanted_);
  if (epoll_events & watched_ & ~needed) Watch(needed);
  uint32_t ready = ReadyOf(epoll_events) & wanted_;
  if (ready != 0) listener_->OnReady(ready);
}

void PollSet::Open(uv_loop_t* loop) {
  epoll_.Reset(epoll_create1(EPOLL_CLOEXEC));
  state_ = epoll_.Get() < 0 ? -errno : uv_poll_init(loop, &handle_, epoll_.Get());
  if (state_ < 0) return;
  has_handle_ = true;
  handle_.data = this;
  uv_unref(reinterpret_cast<uv_handle_t*>(&handle_));
  state_ = uv_poll_start(&handle_, UV_READABLE, OnReadable);
}

void PollSet::Close(void (*on_closed)(void*), void* data) {
  while (first_ != nullptr) Remove(first_);
  state_ = -EBADF;
  if (!has_handle_) return on_closed(data);
  on_closed_ = on_closed;
  data_ = data;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_), [](uv_handle_t* handle) {
    auto self = static_cast<PollSet*>(handle->data);
    self->epoll_.Reset();
    self->on_closed_(self->data_);
  });
}

Result PollSet::Add(Poller* poller) {
  if (state_ < 0) return state_;
  epoll_event event = {};
  event.events = poller->watched_ | EPOLLET;
  event.data.ptr = poller;
  if (epoll_ctl(epoll_.Get(), EPOLL_CTL_ADD, poller->fd_, &event) < 0) return -errno;
  poller->set_ = this;
  poller->next_ = first_;
  if (first_ != nullptr) first_->previous_ = poller;
  first_ = poller;
  size_++;
  return 0;
}

void PollSet::Remove(Poller* poller) {
  epoll_ctl(epoll_.Get(), EPOLL_CTL_DEL, poller->fd_, nullptr);
  Hold(KeepsAlive(poller->wanted_), false);
  if (poller->previous_ != nullptr) poller->previous_->next_ = poller->next_;
  if (poller->next_ != nullptr) poller->next_->previous_ = poller->previous_;
  if (first_ == poller) first_ = poller->next_;
  size_--;
  poller->next_ = poller->previous_ = nullptr;
  poller->set_ = nullptr;
  poller->wanted_ = poller->watched_ = 0;
  for (int i = 0; i < count_; i++) {
    if (batch_[i].data.ptr == poller) batch_[i].data.ptr = nullptr;
  }
}

void PollSet::Hold(bool before, bool now) {
  held_ += static_cast<int>(now) - static_cast<int>(before);
  auto handle = reinterpret_cast<uv_handle_t*>(&handle_);
  if (held_ > 0) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void PollSet::OnReadable(uv_poll_t* handle, int, int) { static_cast<PollSet*>(handle->data)->Dispatch(); }

// All edges that are there when this begins: who waits for a turn of the loop relies on it. New ones that come all the
// while wait for the next turn. A listener may remove any poller, also of those that are still to be told.
void PollSet::Dispatch() {
  for (int left = size_; left > 0; left -= kBatch) {
    count_ = epoll_wait(epoll_.Get(), batch_, kBatch, 0);
    for (int i = 0; i < count_; i++) {
      if (batch_[i].data.ptr != nullptr) static_cast<Poller*>(batch_[i].data.ptr)->Take(batch_[i].events);
    }
    bool all = count_ < kBatch;
    count_ = 0;
    if (all) return;
  }
}

}  // namespace afbus
