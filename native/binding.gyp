# SPDX-License-Identifier: MIT
{
  'variables': {
    # native/build runs this file through a link in the build folder.
    'here': '<!(dirname "$(realpath binding.gyp)")',
  },
  'targets': [
    {
      'target_name': 'afbus',
      'sources': [
        'src/address.cc',
        'src/bus_socket.cc',
        'src/columns.cc',
        'src/environment.cc',
        'src/envelope.cc',
        'src/message.cc',
        'src/module.cc',
        'src/netlink.cc',
        'src/poller.cc',
        'src/stream.cc',
        'src/stream_socket.cc',
        'src/syscall.cc',
      ],
      'include_dirs': [
        '<(here)/../kernel/uapi',
      ],
      'defines': [
        'NAPI_VERSION=9',
        'NAPI_DISABLE_CPP_EXCEPTIONS',
        'NODE_ADDON_API_DISABLE_DEPRECATED',
        # A worker that is stopped while it is in here can throw no more; that must not end the process.
        'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
        '_GNU_SOURCE',
      ],
      'cflags_cc!': ['-std=gnu++17', '-fno-rtti'],
      'cflags_cc': [
        '-std=c++17', '-Wall', '-Wextra', '-Werror=return-type', '-fvisibility=hidden',
        # Warnings are about our own code.
        '-isystem', '<!(node -p "require(\'path\').resolve(require(\'node-addon-api\').include_dir)")',
      ],
      'cflags!': ['-fno-exceptions'],
      'cflags': ['-Wall', '-Wextra', '-g1'],
      # The host and the containers that get a copy may have an older C++ library than the builder.
      'ldflags': ['-static-libstdc++', '-static-libgcc', '-Wl,--no-undefined-version'],
    },
  ],
}
