// SPDX-License-Identifier: MIT
// Conversions between JavaScript values and plain ones.
#pragma once

#include <napi.h>

#include <initializer_list>
#include <string_view>

#include "address.h"

namespace afbus {

inline Napi::Value Number(const Napi::CallbackInfo& info, double value) {
  return Napi::Number::New(info.Env(), value);
}

inline Napi::Value Numbers(const Napi::CallbackInfo& info, std::initializer_list<int64_t> values) {
  auto array = Napi::Array::New(info.Env(), values.size());
  uint32_t index = 0;
  for (int64_t value : values) array.Set(index++, Napi::Number::New(info.Env(), static_cast<double>(value)));
  return array;
}

inline int Int(Napi::Value value) {
  int32_t number = 0;
  napi_get_value_int32(value.Env(), value, &number);
  return number;
}

// The bytes of a typed array; empty for null. They belong to the array and must not be kept.
inline std::string_view Bytes(Napi::Value value) {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  bool is_array = false;
  if (napi_is_typedarray(value.Env(), value, &is_array) != napi_ok || !is_array) return {};
  napi_get_typedarray_info(value.Env(), value, &type, &length, &data, nullptr, nullptr);
  if (type == napi_int32_array) length *= sizeof(int32_t);
  return {static_cast<const char*>(data), length};
}

inline Address AddressArgument(Napi::Value prefix, Napi::Value client) {
  double part = 0;
  napi_get_value_double(client.Env(), client, &part);
  return {static_cast<uint16_t>(Int(prefix)), static_cast<uint64_t>(part)};
}

}  // namespace afbus
