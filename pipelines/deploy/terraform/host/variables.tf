variable "name" {
  type        = string
  description = "The host's name."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,62}$", var.name))
    error_message = "Letters, digits and dashes, a letter first."
  }
}

variable "isolated_cores" {
  type        = list(number)
  description = "Cores that belong to runners alone; hft doctor wants two or more."

  validation {
    condition     = length(var.isolated_cores) >= 2 && length(distinct(var.isolated_cores)) == length(var.isolated_cores)
    error_message = "Two cores or more, each once."
  }

  validation {
    condition     = !contains(var.isolated_cores, 0)
    error_message = "Core 0 stays with the system: the kernel needs one that is not isolated."
  }
}

variable "system_cores" {
  type        = list(number)
  default     = [0, 1]
  description = "Cores of the system, its interrupts, and what stands beside a runner."

  validation {
    condition     = length(setintersection(toset(var.system_cores), toset(var.isolated_cores))) == 0
    error_message = "A core is the system's or isolated, not both."
  }
}

variable "huge_pages" {
  type        = number
  default     = 512
  description = "Pages of 2 MiB; hft doctor wants 128 or more."

  validation {
    condition     = var.huge_pages >= 128
    error_message = "128 or more."
  }
}

variable "ptp" {
  type        = bool
  default     = false
  description = "The network card has a clock that the hypervisor keeps by PTP."
}

variable "operator_keys" {
  type        = list(string)
  description = "Public SSH keys of those who may log in."

  validation {
    condition     = length(var.operator_keys) > 0 && alltrue([for key in var.operator_keys : startswith(key, "ssh-ed25519 ") || startswith(key, "sk-ssh-ed25519")])
    error_message = "At least one, and Ed25519."
  }
}
