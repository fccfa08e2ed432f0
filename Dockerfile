# SPDX-License-Identifier: MIT
# The agent image: what runs in every node. Nothing is run while it is built, so it builds without a network.
# The AF_BUS host keeps the first stage only and brings the agent along at every start: it changes daily, Node does not.
ARG BASE=debian:12-slim
FROM ${BASE} AS node
COPY node_modules/node/bin/node /usr/local/bin/node

FROM node AS agent
COPY build/native/afbus.node /opt/afbus-topo/native/afbus.node
COPY dist/agent.cjs /opt/afbus-topo/agent.cjs
ENTRYPOINT ["node", "/opt/afbus-topo/agent.cjs"]
