// The function app on Flex Consumption: no instance while nothing happens, one identity for everything, no key in any setting.

import { Size } from 'sizes.bicep'
import { Names } from 'names.bicep'

param location string
param token string
param tags object
param stage string
param size Size
param names Names
param packageContainer string
param privateNetwork bool
param subnetId string
param callerRanges string[]
param zoneRedundant bool
param sweepSchedule string

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: names.appIdentity
}

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: names.storage
}

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: 'plan-upkeep-${token}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

// The only outsider that calls in is Azure Monitor, from the addresses behind the tag ActionGroup.
var azureMonitor = {
  name: 'azure-monitor'
  action: 'Allow'
  tag: 'ServiceTag'
  ipAddress: 'ActionGroup'
  priority: 100
}
var callers = [for (address, index) in callerRanges: {
  name: 'caller-${index}'
  action: 'Allow'
  ipAddress: trim(address)
  priority: 200 + index
}]

resource site 'Microsoft.Web/sites@2024-04-01' = {
  name: names.app
  location: location
  // azd finds the app of the service `app` in azure.yaml by this tag.
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: privateNetwork ? subnetId : null
    functionAppConfig: {
      runtime: {
        name: 'python'
        version: '3.11'
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storage.properties.primaryEndpoints.blob}${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identity.id
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: 2048
        maximumInstanceCount: size.mostInstances
        // Billed while idle, and spared: a cold start costs an event seconds, and every sender repeats.
        alwaysReady: size.alwaysReady == 0 ? [] : [{ name: 'http', instanceCount: size.alwaysReady }]
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      ipSecurityRestrictionsDefaultAction: privateNetwork ? 'Deny' : 'Allow'
      ipSecurityRestrictions: privateNetwork ? concat([azureMonitor], callers) : []
      // The deployment site has no rules of its own. It takes those of the app where they let somebody in: who deploys calls the app
      // afterwards anyway. With no range given they would let in Azure Monitor alone, and nobody could deploy; then, as in a network
      // that is not private, an Entra token is the only door, and Microsoft's hosted runners can deploy.
      scmIpSecurityRestrictionsUseMain: privateNetwork && !empty(callerRanges)
    }
  }
}

// Neither a publishing password for FTP nor one for the deployment site: both want an Entra token.
resource ftp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: site
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource scm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: site
  name: 'scm'
  properties: {
    allow: false
  }
}

module settings 'app-settings.bicep' = {
  name: 'app-settings'
  params: {
    appName: site.name
    stage: stage
    names: names
    sweepSchedule: sweepSchedule
  }
}

output url string = 'https://${site.properties.defaultHostName}'
