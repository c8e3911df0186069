variable "region" {
  type        = string
  default     = "us-east-1"
  description = "Where the venue is near."
}

variable "zones" {
  type        = list(string)
  default     = ["us-east-1a", "us-east-1b"]
  description = "Of the host that trades, and of its standby."

  validation {
    condition     = length(var.zones) == 2 && var.zones[0] != var.zones[1]
    error_message = "Two, and not the same: what takes one away leaves the other."
  }
}

variable "instance_type" {
  type        = string
  default     = "c7i.metal-24xl"
  description = "A whole machine, of a kind whose card has a PTP clock."

  validation {
    condition     = can(regex("\\.metal", var.instance_type))
    error_message = "A metal one: a hypervisor may stop a core at any time."
  }
}

variable "isolated_cores" {
  type        = list(number)
  default     = [2, 3, 4, 5, 6, 7]
  description = "Cores that belong to runners alone."
}

variable "journal_gib" {
  type        = number
  default     = 500
  description = "Of each host's journals; a busy runner writes some 260 MB a minute."
}

variable "network" {
  type        = string
  default     = "10.20.0.0/16"
  description = "All of it."
}

variable "desk_network" {
  type        = string
  description = "From where people look and act, by VPN; never the internet."

  validation {
    condition     = can(cidrhost(var.desk_network, 0)) && !endswith(var.desk_network, "/0")
    error_message = "A network, and not everybody's."
  }
}

variable "venues" {
  type        = map(string)
  description = "Networks of the venues, by name."
}

variable "standby_port" {
  type        = number
  default     = 7700
  description = "Where hft standby listens."
}

variable "desk_ports" {
  type        = map(number)
  default     = { ssh = 22, view = 8470, control = 8471, prometheus = 9090 }
  description = "What people reach."
}

variable "operator_keys" {
  type        = list(string)
  description = "Public SSH keys, Ed25519, of those who may log in."
}
