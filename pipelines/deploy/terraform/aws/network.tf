# Three networks in each zone, each with a card of its own in the host:
#
#     market    order entry and feed; leads to the venue's gateway and nowhere else
#     copy      runner to standby, between the two zones
#     desk      who looks and acts: SSH, the desk's two ports, Prometheus
#
# None has a way to the internet; packages come through a mirror in the desk's network.

locals {
  networks = ["market", "copy", "desk"]
  cards = merge([
    for host, one in local.hosts : {
      for n, network in local.networks : "${host}-${network}" => {
        host = host, network = network, zone = one.zone, index = n, number = one.number
      }
    }
  ]...)
}

resource "aws_vpc" "own" {
  cidr_block           = var.network
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = "hft" }
}

resource "aws_subnet" "of" {
  for_each = local.cards

  vpc_id                  = aws_vpc.own.id
  availability_zone       = each.value.zone
  cidr_block              = cidrsubnet(var.network, 8, each.value.number * 16 + each.value.index)
  map_public_ip_on_launch = false

  tags = { Name = "hft-${each.key}" }
}

resource "aws_network_interface" "card" {
  for_each = local.cards

  subnet_id       = aws_subnet.of[each.key].id
  security_groups = [aws_security_group.of[each.value.network].id]

  tags = { Name = "hft-${each.key}" }
}

resource "aws_network_interface_attachment" "card" {
  for_each = { for name, one in local.cards : name => one if one.network != "desk" }

  instance_id          = aws_instance.host[each.value.host].id
  network_interface_id = aws_network_interface.card[each.key].id
  device_index         = each.value.index + 1
}

resource "aws_security_group" "of" {
  for_each = toset(local.networks)

  name        = "hft-${each.key}"
  description = "hftlib: ${each.key}"
  vpc_id      = aws_vpc.own.id
}

# Orders and recovery leave for the venue, its datagrams come in; nothing else.
resource "aws_vpc_security_group_egress_rule" "market" {
  for_each = var.venues

  security_group_id = aws_security_group.of["market"].id
  description       = each.key
  cidr_ipv4         = each.value
  ip_protocol       = "-1"
}

resource "aws_vpc_security_group_ingress_rule" "market" {
  for_each = var.venues

  security_group_id = aws_security_group.of["market"].id
  description       = each.key
  cidr_ipv4         = each.value
  ip_protocol       = "udp"
  from_port         = 1024
  to_port           = 65535
}

resource "aws_vpc_security_group_ingress_rule" "copy" {
  security_group_id            = aws_security_group.of["copy"].id
  description                  = "hft standby"
  referenced_security_group_id = aws_security_group.of["copy"].id
  ip_protocol                  = "tcp"
  from_port                    = var.standby_port
  to_port                      = var.standby_port
}

resource "aws_vpc_security_group_egress_rule" "copy" {
  security_group_id            = aws_security_group.of["copy"].id
  description                  = "hft live to hft standby"
  referenced_security_group_id = aws_security_group.of["copy"].id
  ip_protocol                  = "tcp"
  from_port                    = var.standby_port
  to_port                      = var.standby_port
}

resource "aws_vpc_security_group_ingress_rule" "desk" {
  for_each = var.desk_ports

  security_group_id = aws_security_group.of["desk"].id
  description       = each.key
  cidr_ipv4         = var.desk_network
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}

resource "aws_vpc_security_group_egress_rule" "desk" {
  security_group_id = aws_security_group.of["desk"].id
  description       = "Mirror, mail and pages of alerts, through what stands in this network"
  cidr_ipv4         = var.desk_network
  ip_protocol       = "-1"
}
